#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"

namespace weir::engine {

/// What has been asked of a ChildRunTracker, and what it knows now.
struct ChildRunMetrics {
  std::int64_t registration_count = 0;
  std::int64_t unregistration_count = 0;
  std::int64_t lookup_count = 0;          ///< of children and parents
  std::int64_t tree_traversal_count = 0;  ///< of roots and descendants
  std::int64_t cleanup_count = 0;
  std::int64_t max_concurrent_children = 0;  ///< of one parent
  std::int64_t max_depth_seen = 0;           ///< how many runs were around a run, at most
  std::int64_t active_parents = 0;
  std::int64_t active_children = 0;
  std::int64_t total_relationships = 0;
  bool operator==(const ChildRunMetrics&) const = default;
};

/// A run that a node of another one has begun, and that goes on.
struct ActiveChild {
  RunId run_id;
  std::string node_id;  ///< of its parent
  std::string pipeline_id;
  bool operator==(const ActiveChild&) const = default;
};

/// Which runs of this process are children of which others, now.
///
/// Threads  Any.
class ChildRunTracker {
 public:
  /// A run that is registered already stays where it is.
  void add(const RunId& parent, ActiveChild child);
  /// It has ended. Of one that is not registered: nothing.
  void remove(const RunId& child);
  /// A run has ended: it and whatever is still registered under it are forgotten.
  void clean_up(const RunId& run);

  /// In the order in which they began.
  [[nodiscard]] std::vector<ActiveChild> children_of(const RunId& parent);
  [[nodiscard]] std::optional<RunId> parent_of(const RunId& child);
  /// The run around all that are around this one; itself when there is none.
  [[nodiscard]] RunId root_of(const RunId& run);
  /// Children before their own children.
  [[nodiscard]] std::vector<ActiveChild> descendants_of(const RunId& run);

  [[nodiscard]] ChildRunMetrics metrics() const;
  /// The same with `component`, `pipeline_run_id` and `is_child_run`, under these names.
  [[nodiscard]] json::Object report(const RunId& run) const;
  /// Begins counting anew; what is registered stays.
  void reset_metrics();

 private:
  // Under mutex_:
  void erase(const RunId& child);
  [[nodiscard]] int depth_of(const RunId& run) const;
  void append_descendants(const RunId& run, std::vector<ActiveChild>& found) const;

  mutable std::mutex mutex_;
  std::map<RunId, std::vector<ActiveChild>> children_;  // guarded by mutex_, as is the rest
  std::map<RunId, RunId> parents_;
  ChildRunMetrics counted_;
};

}  // namespace weir::engine
