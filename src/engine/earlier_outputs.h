#pragma once

#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "artifact/artifact_store.h"
#include "engine/recorded_run.h"
#include "pipeline/graph.h"

namespace weir::engine {

/// What the nodes of a rerun need not make again: the outputs that the run which it repeats has
/// recorded, but for the nodes from which it begins and all that come after them. A node that has
/// none there runs, and so does all that comes after it: it may give something else now. Nodes that
/// streams join run again together: what one gave cannot stand for what it would write to another.
///
/// Threads  Any. What is answered depends on the order of the graph alone, not on that of threads:
///          the same questions get the same answers in another process.
class EarlierOutputs {
 public:
  /// All of them outlive it, but for `artifacts`, which is asked now. Unknown ids in `rerun.from`
  /// mean nothing.
  EarlierOutputs(const Rerun& rerun, const pipeline::Definition& definition,
                 const pipeline::Graph& graph, const artifact::ArtifactStore& artifacts);

  [[nodiscard]] bool is_rerun() const { return rerun_.of != nullptr; }
  /// Whether the rerun begins with this node.
  [[nodiscard]] bool begins_with(std::string_view node_id) const;

  /// What the step, a node or an item of it, gave then: the event that says so. Null: it runs now,
  /// when it is asked for, and what comes after its node does too.
  [[nodiscard]] const NodeFact* take(pipeline::NodeIndex node, std::string_view step_id);
  /// It cannot be had after all.
  void run_again_after(pipeline::NodeIndex node);

 private:
  [[nodiscard]] bool is_to_run_whole(std::span<const std::string_view> group,
                                     const artifact::ArtifactStore& artifacts) const;
  void run_again_from(pipeline::NodeIndex node);

  const Rerun& rerun_;
  const pipeline::Graph& graph_;
  std::unordered_map<std::string_view, const NodeFact*> completed_;  // by step id
  std::mutex mutex_;
  std::vector<bool> runs_again_;  // of each node; guarded by mutex_
};

}  // namespace weir::engine
