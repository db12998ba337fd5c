#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

/// What of a random pipeline depends on who is first.
namespace weir::random_runs {

/// A node of a pipeline that is being made.
struct Node {
  std::string id;
  json::Object json;
  json::Object with;
  json::Array asks;
  json::Array tells;
  std::set<std::size_t> needs;
  std::set<std::size_t> ancestors;
  bool may_end_run = false;
  bool may_fail = false;
  bool fails_for_good = false;
  bool is_aimed_at = false;
  bool is_freed = false;  // it may end before all before it have
  bool runs_child = false;
  bool has_stream = false;
  bool is_known = false;  // an earlier run has left its output in the cache
  std::string tool = "play";
};

/// Who changes a node, before it begins.
struct Change {
  std::size_t asker = 0, target = 0;
};

using Nodes = std::vector<Node>;

/// Whether a node may begin before or after it is changed.
[[nodiscard]] bool changes_race(const Nodes& nodes, const std::vector<Change>& changes);
/// Whether a node that may end the run runs beside others.
[[nodiscard]] bool ends_beside_others(const Nodes& nodes);
/// Whether anything that fails does not come before all guards, or is one.
[[nodiscard]] bool guards_race(const Nodes& nodes);

}  // namespace weir::random_runs
