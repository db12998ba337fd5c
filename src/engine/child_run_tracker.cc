#include "engine/child_run_tracker.h"

#include <algorithm>
#include <utility>

namespace weir::engine {

void ChildRunTracker::add(const RunId& parent, ActiveChild child) {
  const std::lock_guard lock(mutex_);
  if (!parents_.emplace(child.run_id, parent).second) return;
  auto& siblings = children_[parent];
  siblings.push_back(std::move(child));
  ++counted_.registration_count;
  const auto concurrent = static_cast<std::int64_t>(siblings.size());
  counted_.max_concurrent_children = std::max(counted_.max_concurrent_children, concurrent);
  const std::int64_t depth = depth_of(siblings.back().run_id);
  counted_.max_depth_seen = std::max(counted_.max_depth_seen, depth);
}

void ChildRunTracker::remove(const RunId& child) {
  const std::lock_guard lock(mutex_);
  if (parents_.contains(child)) erase(child);
}

void ChildRunTracker::clean_up(const RunId& run) {
  const std::lock_guard lock(mutex_);
  ++counted_.cleanup_count;
  std::vector<ActiveChild> below;
  append_descendants(run, below);
  for (const auto& child : below) erase(child.run_id);
  if (parents_.contains(run)) erase(run);
}

void ChildRunTracker::erase(const RunId& child) {
  const auto parent = parents_.find(child);
  const auto siblings = children_.find(parent->second);
  std::erase_if(siblings->second, [&](const auto& one) { return one.run_id == child; });
  if (siblings->second.empty()) children_.erase(siblings);
  parents_.erase(parent);
  ++counted_.unregistration_count;
}

int ChildRunTracker::depth_of(const RunId& run) const {
  int depth = 0;
  for (auto at = parents_.find(run); at != parents_.end(); at = parents_.find(at->second)) ++depth;
  return depth;
}

std::vector<ActiveChild> ChildRunTracker::children_of(const RunId& parent) {
  const std::lock_guard lock(mutex_);
  ++counted_.lookup_count;
  const auto found = children_.find(parent);
  return found == children_.end() ? std::vector<ActiveChild>() : found->second;
}

std::optional<RunId> ChildRunTracker::parent_of(const RunId& child) {
  const std::lock_guard lock(mutex_);
  ++counted_.lookup_count;
  const auto found = parents_.find(child);
  return found == parents_.end() ? std::nullopt : std::optional(found->second);
}

RunId ChildRunTracker::root_of(const RunId& run) {
  const std::lock_guard lock(mutex_);
  ++counted_.tree_traversal_count;
  auto root = run;
  for (auto at = parents_.find(root); at != parents_.end(); at = parents_.find(root)) {
    root = at->second;
  }
  return root;
}

std::vector<ActiveChild> ChildRunTracker::descendants_of(const RunId& run) {
  const std::lock_guard lock(mutex_);
  ++counted_.tree_traversal_count;
  std::vector<ActiveChild> found;
  append_descendants(run, found);
  return found;
}

void ChildRunTracker::append_descendants(const RunId& run, std::vector<ActiveChild>& found) const {
  auto next = found.size();
  auto parent = run;
  while (true) {
    if (const auto children = children_.find(parent); children != children_.end()) {
      found.insert(found.end(), children->second.begin(), children->second.end());
    }
    if (next == found.size()) return;
    parent = found[next++].run_id;
  }
}

ChildRunMetrics ChildRunTracker::metrics() const {
  const std::lock_guard lock(mutex_);
  auto metrics = counted_;
  metrics.active_parents = static_cast<std::int64_t>(children_.size());
  metrics.active_children = static_cast<std::int64_t>(parents_.size());
  metrics.total_relationships = metrics.active_children;
  return metrics;
}

json::Object ChildRunTracker::report(const RunId& run) const {
  const auto metrics = this->metrics();
  json::Object report;
  report.set("component", "ChildRunTracker");
  report.set("pipeline_run_id", run.text());
  {
    const std::lock_guard lock(mutex_);
    report.set("is_child_run", parents_.contains(run));
  }
  report.set("registration_count", metrics.registration_count);
  report.set("unregistration_count", metrics.unregistration_count);
  report.set("lookup_count", metrics.lookup_count);
  report.set("tree_traversal_count", metrics.tree_traversal_count);
  report.set("cleanup_count", metrics.cleanup_count);
  report.set("max_concurrent_children", metrics.max_concurrent_children);
  report.set("max_depth_seen", metrics.max_depth_seen);
  report.set("active_parents", metrics.active_parents);
  report.set("active_children", metrics.active_children);
  report.set("total_relationships", metrics.total_relationships);
  return report;
}

void ChildRunTracker::reset_metrics() {
  const std::lock_guard lock(mutex_);
  counted_ = {};
}

}  // namespace weir::engine
