#include "pipeline/ancestry.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace weir::pipeline {
namespace {

constexpr std::size_t kBatch = 64;  // one bit an ancestor

/// Answers questions about up to kBatch ancestors: walks the topological order from the first of
/// them to the last node that is asked about, and tells each node which of them are before it.
class Batch {
 public:
  Batch(const Graph& graph, const std::vector<std::size_t>& position)
      : graph_(graph), position_(position) {}

  /// Whether there is room for the ancestor; they come in topological order.
  bool add(NodeIndex ancestor) {
    if (!ancestors_.empty() && ancestors_.back() == ancestor) return true;
    if (ancestors_.size() == kBatch) return false;
    ancestors_.push_back(ancestor);
    return true;
  }
  [[nodiscard]] std::size_t last() const { return ancestors_.size() - 1; }
  void include(NodeIndex node) { end_ = std::max(end_, position_[node] + 1); }

  /// The ancestors of each node in the window, from `begin()` on.
  [[nodiscard]] std::vector<std::uint64_t> walk() const {
    std::vector<std::uint64_t> before(end_ > begin() ? end_ - begin() : 0);
    for (std::size_t at = begin(); at < end_; ++at) {
      auto& bits = before[at - begin()];
      for (const auto predecessor : graph_.predecessors[graph_.order[at]]) {
        if (position_[predecessor] >= begin()) {
          bits |= before[position_[predecessor] - begin()] | own_bit(predecessor);
        }
      }
    }
    return before;
  }
  [[nodiscard]] std::size_t begin() const { return position_[ancestors_.front()]; }

 private:
  [[nodiscard]] std::uint64_t own_bit(NodeIndex node) const {
    const auto found =
        std::lower_bound(ancestors_.begin(), ancestors_.end(), node,
                         [this](NodeIndex a, NodeIndex b) { return position_[a] < position_[b]; });
    const bool is_one = found != ancestors_.end() && *found == node;
    return is_one ? std::uint64_t{1} << (found - ancestors_.begin()) : 0;
  }

  const Graph& graph_;
  const std::vector<std::size_t>& position_;
  std::vector<NodeIndex> ancestors_;
  std::size_t end_ = 0;
};

}  // namespace

std::vector<bool> are_ancestors(const Graph& graph, std::span<const AncestorQuestion> questions) {
  std::vector<std::size_t> position(graph.size());
  for (std::size_t at = 0; at < graph.order.size(); ++at) position[graph.order[at]] = at;
  std::vector<std::size_t> todo(questions.size());
  std::iota(todo.begin(), todo.end(), 0);
  std::stable_sort(todo.begin(), todo.end(), [&](std::size_t a, std::size_t b) {
    return position[questions[a].first] < position[questions[b].first];
  });

  std::vector<bool> answers(questions.size());
  for (std::size_t from = 0; from < todo.size();) {
    Batch batch(graph, position);
    std::vector<std::size_t> bits;  // of each question of this batch
    auto to = from;
    for (; to < todo.size() && batch.add(questions[todo[to]].first); ++to) {
      bits.push_back(batch.last());
      batch.include(questions[todo[to]].second);
    }
    const auto before = batch.walk();
    for (auto i = from; i < to; ++i) {
      const auto at = position[questions[todo[i]].second];
      answers[todo[i]] =
          at >= batch.begin() && (before[at - batch.begin()] >> bits[i - from] & 1U) != 0;
    }
    from = to;
  }
  return answers;
}

}  // namespace weir::pipeline
