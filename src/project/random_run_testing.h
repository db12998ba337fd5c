#pragma once

// Long: one small engine, which is read best in one place.

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

/// For tests: the events of runs that might have happened, and of some that cannot.
namespace weir::project::testing_support {

/// An event without what every event has.
struct RandomEvent {
  std::string type;
  std::string members;  ///< without a comma in front
};

/// Plays an engine that does at every step something that it may do. Equal seeds, equal runs.
class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed, std::size_t max_events = 80) : random_(seed) {
    for (std::size_t i = 0; i < 2 + below(5); ++i) nodes_["n" + std::to_string(i)];
    add("pipeline_started",
        R"("entry_nodes":[],"output_nodes":[],"node_count":)" + std::to_string(nodes_.size()));
    while (events_.size() < max_events && !(is_over() && below(3) == 0)) step();
    if (below(8) != 0) end();
    for (auto late = below(4); late > 0; --late) observe();
  }

  [[nodiscard]] const std::vector<RandomEvent>& events() const { return events_; }

 private:
  enum class Node { kPending, kRunning, kCompleted, kFailed, kOver };
  struct NodePlay {
    Node state = Node::kPending;
    int attempt = 0;         // the last one started
    int engine_attempt = 0;  // of that one
    bool lost = false;       // its machinery ended while it ran
    bool asks = false;       // for an approval
  };

  std::size_t below(std::size_t n) { return random_() % n; }
  void add(std::string type, std::string members = "") {
    events_.push_back({std::move(type), std::move(members)});
  }
  bool is_over() const {
    return std::ranges::all_of(nodes_, [](const auto& node) {
      return node.second.state != Node::kPending && node.second.state != Node::kRunning;
    });
  }
  static std::string id_of(const std::string& id) { return R"("node_id":")" + id + '"'; }
  static std::string place_of(const std::string& id) {
    return id_of(id) + R"(,"plugin_id":"p","tool_id":"t","step_index":)" + id.substr(1);
  }

  void step() {
    auto& [id, node] =
        *std::next(nodes_.begin(), static_cast<std::ptrdiff_t>(below(nodes_.size())));
    switch (below(12)) {
      case 0:
        return observe();
      case 1:
        return control();
      case 2:
        return ask(id, node);
      case 3:
        return cache(id);
      default:
        return move(id, node);
    }
  }

  void move(const std::string& id, NodePlay& node) {
    switch (node.state) {
      case Node::kPending:
        if (below(10) == 0 && !node.lost) {
          add("pipeline_node_skipped", id_of(id) + R"(,"reason":"r")");
          node.state = Node::kOver;
          return;
        }
        return start(id, node);
      case Node::kRunning:
        return below(20) == 0 ? restart(id, node) : end_attempt(id, node);
      case Node::kCompleted:
        if (guard_retries_ && below(2) == 0) retry(id, node);
        return;
      case Node::kFailed:
        if (below(3) == 0) {
          add("guard_retry_attempt", id_of(id) + R"(,"attempt":1)");
          guard_retries_ = true;
          guard_ = id;
        }
        return retry(id, node);
      case Node::kOver:
        return;
    }
  }

  void start(const std::string& id, NodePlay& node) {
    if (!node.lost) ++node.attempt;
    node.engine_attempt = engine_attempt_;
    node.lost = false;
    node.state = Node::kRunning;
    add_start(id, node);
  }
  void restart(const std::string& id, NodePlay& node) {
    ++node.engine_attempt;
    add_start(id, node);
  }
  void add_start(const std::string& id, const NodePlay& node) {
    add("pipeline_node_started",
        place_of(id) + R"(,"predecessor_node_ids":["x"],"attempt":)" +
            std::to_string(node.attempt) + R"(,"engine_attempt":)" +
            std::to_string(std::max(node.engine_attempt, engine_attempt_)));
    engine_attempt_ = std::max(node.engine_attempt, engine_attempt_);
  }
  void end_attempt(const std::string& id, NodePlay& node) {
    const auto members = place_of(id) + R"(,"attempt":)" + std::to_string(node.attempt) +
                         R"(,"duration_ms":)" + std::to_string(below(1000)) + ".5";
    const auto how = below(8);
    if (how == 0) {
      add("pipeline_node_cancelled", members + R"(,"reason":"r")");
      node.state = Node::kOver;
    } else if (how < 4) {
      add("pipeline_node_failed", members + R"(,"error_type":"E","error_message":"m")");
      node.state = Node::kFailed;
    } else {
      add("pipeline_node_completed", members + R"(,"output_keys":[])");
      node.state = Node::kCompleted;
    }
    if (guard_retries_ && id == guard_ && node.state != Node::kFailed) {
      add(below(2) == 0 ? "guard_retry_recovered" : "guard_retry_exhausted",
          id_of(id) + R"(,"reason":"r")");
      guard_retries_ = false;
    }
  }
  void retry(const std::string& id, NodePlay& node) {
    if (node.state == Node::kFailed && below(3) == 0) {
      signal("accepted", "retry-step", "," + id_of(id));
      if (below(2) == 0) return static_cast<void>(node.state = Node::kPending);
    }
    add("pipeline_node_retry_scheduled",
        id_of(id) + R"(,"reason":"timeout","attempt":)" + std::to_string(node.attempt + 1));
    node.state = Node::kPending;
  }

  void signal(const std::string& decision, const std::string& type, const std::string& more = "") {
    const auto members = R"("signal_id":"s)" + std::to_string(++signals_) + R"(","signal_type":")" +
                         type + '"' + more;
    if (below(4) == 0) add("signal_deferred", members);
    add("signal_" + decision, members + R"(,"reason":"r")");
  }
  void control() {
    switch (below(5)) {
      case 0:
        return signal("rejected", "cancel");
      case 1:
        return add("checkpoint_created");
      case 2:
        return recover();
      default:
        signal("accepted", paused_ ? "resume" : "pause");
        add(paused_ ? "pipeline_resumed" : "pipeline_paused");
        paused_ = !paused_;
    }
  }
  /// Another process takes the run up.
  void recover() {
    add("pipeline_resumed", R"("engine_attempt":)" + std::to_string(++engine_attempt_));
    paused_ = false;
    for (auto& [id, node] : nodes_) {
      if (node.state != Node::kRunning) continue;
      node.state = Node::kPending;
      node.lost = true;
    }
  }
  void ask(const std::string& id, NodePlay& node) {
    if (node.asks) {
      add("approval_decided", id_of(id) + R"(,"outcome":"approved")");
      node.asks = false;
    } else if (node.state == Node::kPending || node.state == Node::kRunning) {
      add("approval_requested", id_of(id) + R"(,"message":"may it?")");
      node.asks = true;
    }
  }
  void cache(const std::string& id) {
    below(2) == 0 ? add("cache_hit", id_of(id))
                  : add("cache_miss", id_of(id) + R"(,"reason":"first run")");
  }
  /// What may come at any time.
  void observe() {
    switch (below(6)) {
      case 0:
        return add("log", R"("node_id":"n0","message":"line)" + std::to_string(below(100)) + '"');
      case 1:
        return add("my.own_event");
      case 2:
        return add(below(2) == 0 ? "tool_undone" : "tool_undo_failed",
                   R"("node_id":"n0","tool_id":"t","error_message":"m")");
      case 3:
        return add("node_wide", R"("node_id":"n1")");
      case 4:
        return add("artifact_written", R"("artifact_path":"a","artifact_sha256":"0")");
      default:
        return add("pipeline_child_spawned",
                   R"("target_run_id":"c)" + std::to_string(below(3)) + '"');
    }
  }
  void end() {
    constexpr std::string_view kDuration = R"("duration_ms":7)";
    switch (below(3)) {
      case 0:
        return add("pipeline_completed",
                   std::string(kDuration) + R"(,"node_count":1,"output_node_ids":[])");
      case 1:
        return add("pipeline_failed",
                   std::string(kDuration) +
                       R"(,"failed_node_id":null,"error_type":"E","error_message":"m")");
      default:
        return add("pipeline_cancelled", std::string(kDuration) + R"(,"reason":"r")");
    }
  }

  std::mt19937_64 random_;
  std::vector<RandomEvent> events_;
  std::map<std::string, NodePlay> nodes_;
  int engine_attempt_ = 1;
  int signals_ = 0;
  bool paused_ = false;
  bool guard_retries_ = false;
  std::string guard_;
};

/// The same events with up to three of them left out, said again or exchanged: mostly a run that
/// cannot have happened.
[[nodiscard]] inline std::vector<RandomEvent> disturbed(std::vector<RandomEvent> events,
                                                        std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto count = 1 + random() % 3; count > 0 && events.size() > 1; --count) {
    const auto at = events.begin() + static_cast<std::ptrdiff_t>(random() % events.size());
    const auto other = events.begin() + static_cast<std::ptrdiff_t>(random() % events.size());
    switch (random() % 3) {
      case 0:
        events.erase(at);
        break;
      case 1:
        events.insert(other, RandomEvent(*at));
        break;
      default:
        std::iter_swap(at, other);
    }
  }
  return events;
}

}  // namespace weir::project::testing_support
