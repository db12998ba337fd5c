#include "report/progress.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace weir::report {
namespace {

using project::State;

/// A run that goes on is never said to be done.
constexpr double kMostUnfinished = 0.99;

bool has_ended(State state) { return state != State::kPending && state != State::kRunning; }

/// What is known of a node of the plan, all of its items together.
struct Work {
  bool started = false;
  bool ended = false;
  std::optional<Timestamp> since{};  ///< of one that runs: of its items, since the first began

  void add(const project::NodeState& node, bool is_item) {
    ended = (ended || !seen_) && has_ended(node.state);
    seen_ = true;
    if (node.attempts.empty()) return;
    started = true;
    const auto& attempt = is_item ? node.attempts.front() : node.attempts.back();
    if (is_item || node.state == State::kRunning)
      since = std::min(since.value_or(attempt.started_at), attempt.started_at);
  }

  [[nodiscard]] double elapsed_ms(Timestamp now) const {
    if (ended || !since) return 0;
    return std::max(0.0, std::chrono::duration<double, std::milli>(now - *since).count());
  }

 private:
  bool seen_ = false;
};

/// The nodes of the plan, each with its work and what it usually takes.
class Ahead {
 public:
  Ahead(const Plan& plan, const project::RunState& run, const UsualDuration& usual, Timestamp now)
      : plan_(plan), now_(now), work_(plan.size()), usual_(plan.size()) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      places.emplace(plan[i].id, i);
      usual_[i] = usual(plan[i].id);
    }
    for (const auto& node : run.nodes) {
      const auto id = node_of_item(node.node_id);
      const auto place = places.find(id);
      if (place != places.end()) work_[place->second].add(node, id != node.node_id);
    }
    end_before_started();
  }

  [[nodiscard]] double fraction() const {
    double known = 0, all = 0, done = 0;
    std::size_t count = 0;
    for (const auto& usual : usual_) {
      if (usual) known += *usual, ++count;
    }
    const auto average = count > 0 && known > 0 ? known / static_cast<double>(count) : 1;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      const auto weight = usual_[i].value_or(average);
      all += weight;
      if (work_[i].ended) done += weight;
      // Of a node that nobody knows, nobody knows how far it is.
      if (!work_[i].ended && usual_[i].has_value())
        done += std::min(work_[i].elapsed_ms(now_), kMostUnfinished * weight);
    }
    return all > 0 ? std::min(done / all, kMostUnfinished) : 0;
  }

  void find_path(Progress& progress) const {
    std::vector<double> until(plan_.size());  // with each node's end
    std::vector<std::size_t> before(plan_.size(), plan_.size());
    auto last = plan_.size();
    for (const auto i : order_of(plan_)) {
      for (const auto need : plan_[i].needs) {
        // Of two that take as long, that which is ahead is what is waited for.
        const bool later = before[i] == plan_.size() || until[need] > until[before[i]];
        if (!work_[need].ended && later) before[i] = need;
      }
      until[i] = left_of(i) + (before[i] == plan_.size() ? 0 : until[before[i]]);
      if (!work_[i].ended && (last == plan_.size() || until[i] > until[last])) last = i;
    }
    if (last == plan_.size()) return;
    progress.left_ms = until[last];
    for (auto i = last; i != plan_.size(); i = before[i]) {
      progress.path.push_back(plan_[i].id);
      const auto elapsed = work_[i].elapsed_ms(now_);
      progress.is_late = progress.is_late || elapsed > usual_[i].value_or(elapsed);
    }
    std::ranges::reverse(progress.path);
    add_unknown(progress);
  }

 private:
  /// A node of which all items that are known have ended may have more; when one after it has
  /// started, it has not.
  void end_before_started() {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (!work_[i].started) continue;
      for (const auto need : plan_[i].needs) work_[need].ended = true;
    }
  }

  [[nodiscard]] double left_of(std::size_t i) const {
    return work_[i].ended ? 0 : std::max(0.0, usual_[i].value_or(0) - work_[i].elapsed_ms(now_));
  }

  void add_unknown(Progress& progress) const {
    bool any_known = false;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
      if (work_[i].ended) continue;
      any_known = any_known || usual_[i].has_value();
      if (!usual_[i]) progress.unknown.push_back(plan_[i].id);
    }
    if (!any_known) progress.left_ms.reset();
  }

  const Plan& plan_;
  const Timestamp now_;
  std::vector<Work> work_;
  std::vector<std::optional<double>> usual_;
};

}  // namespace

Progress progress_of(const Plan& plan, const project::RunState& run, const UsualDuration& usual,
                     Timestamp now) {
  Progress progress;
  if (run.is_finished()) {
    progress.fraction = 1;
    progress.left_ms = 0;
    return progress;
  }
  const Ahead ahead(plan, run, usual, now);
  progress.fraction = ahead.fraction();
  ahead.find_path(progress);
  return progress;
}

}  // namespace weir::report
