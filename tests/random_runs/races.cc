#include "tests/random_runs/races.h"

#include <algorithm>

namespace weir::random_runs {
namespace {

/// Whether it waits for the other, whatever others are freed of waiting.
bool always_waits(const Nodes& nodes, std::size_t node, std::size_t other) {
  return std::ranges::any_of(nodes[node].needs, [&](std::size_t needed) {
    return needed == other || (!nodes[needed].is_freed && always_waits(nodes, needed, other));
  });
}

}  // namespace

bool changes_race(const Nodes& nodes, const std::vector<Change>& changes) {
  return std::ranges::any_of(changes, [&](const Change& change) {
    return !always_waits(nodes, change.target, change.asker);
  });
}

bool ends_beside_others(const Nodes& nodes) {
  for (std::size_t end = 0; end < nodes.size(); ++end) {
    if (!nodes[end].may_end_run) continue;
    if (nodes[end].json.find("for_each") != nullptr) return true;
    for (std::size_t other = 0; other < nodes.size(); ++other) {
      if (other != end && !always_waits(nodes, other, end) && !always_waits(nodes, end, other))
        return true;
    }
  }
  return false;
}

bool guards_race(const Nodes& nodes) {
  std::size_t failing = 0;
  bool is_beside = false;
  for (std::size_t one = 0; one < nodes.size(); ++one) {
    if (!nodes[one].may_fail) continue;
    ++failing;
    for (std::size_t guard = 0; guard < nodes.size(); ++guard) {
      if (guard == one || nodes[guard].json.find("guard_retry") == nullptr) continue;
      is_beside =
          is_beside || !(always_waits(nodes, guard, one) || always_waits(nodes, one, guard));
    }
  }
  return failing > 1 && is_beside;
}

}  // namespace weir::random_runs
