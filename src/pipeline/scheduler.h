#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipeline/graph.h"

namespace weir::pipeline {

/// What the scheduler asks for.
struct Command {
  enum class Kind : std::uint8_t {
    kStartNode,   ///< its predecessors have completed
    kCancelNode,  ///< it runs, and its result is not wanted any more
    kFinishRun,   ///< nothing runs any more; the last command
  };
  Kind kind;
  NodeIndex node = 0;  ///< not for kFinishRun
  bool operator==(const Command&) const = default;
};

enum class RunOutcome : std::uint8_t { kCompleted, kFailed, kCancelled };

/// Decides what a run does next: (graph, what happened so far) → commands. No I/O, no clock, no
/// threads. Fail-fast: the first failure cancels what runs and starts nothing more.
///
///   pending ──start──► running ──► completed | failed | cancelled
class Scheduler {
 public:
  /// `graph` must outlive it and have no cycle.
  explicit Scheduler(const Graph& graph);

  /// Each appends to `commands`, which the caller carries out in order and reports back.
  void start(std::vector<Command>& commands);
  void node_completed(NodeIndex node, std::vector<Command>& commands);
  void node_failed(NodeIndex node, std::vector<Command>& commands);
  void node_cancelled(NodeIndex node, std::vector<Command>& commands);
  /// Somebody wants the run to end.
  void cancel(std::vector<Command>& commands);

  /// Once kFinishRun was given.
  [[nodiscard]] RunOutcome outcome() const { return outcome_; }
  [[nodiscard]] std::optional<NodeIndex> first_failed() const { return first_failed_; }

 private:
  enum class State : std::uint8_t { kPending, kRunning, kEnded };

  void start_node(NodeIndex node, std::vector<Command>& commands);
  void end_node(NodeIndex node);
  void stop(RunOutcome outcome, std::vector<Command>& commands);
  void finish_if_idle(std::vector<Command>& commands);

  const Graph& graph_;
  std::vector<State> states_;
  std::vector<std::uint32_t> waiting_for_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  bool finished_ = false;
  RunOutcome outcome_ = RunOutcome::kCompleted;
  std::optional<NodeIndex> first_failed_;
};

}  // namespace weir::pipeline
