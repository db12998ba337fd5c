#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "pipeline/definition.h"
#include "pipeline/graph.h"
#include "pipeline/scheduler.h"

namespace weir::engine {

/// The workers that the nodes of a domain share.
struct WorkerPool {
  std::string domain;
  int limit = 1;
  int busy = 0;
};

/// The steps that may start, in the order in which they became ready; of those of a domain, no more
/// at a time than it has workers. What waits for its domain lets others pass.
///
/// Order    Says when a step starts and nothing else: what a run makes does not depend on it.
/// Threads  Guarded by its owner's lock.
class ReadyQueue {
 public:
  /// Called when no worker of a pool is free any more, and when one is again and nobody waits.
  using OnChange = std::function<void(const WorkerPool&)>;

  /// `definition` outlives it.
  ReadyQueue(const pipeline::Definition& definition, OnChange on_change);

  /// A step that was taken has its domain's worker until `done`.
  struct Taken {
    pipeline::StepIndex step = 0;
    std::int32_t pool = -1;  ///< -1: it needs none
  };

  /// It runs the node: it needs a worker of its domain, if the node has one.
  void push(pipeline::StepIndex step, pipeline::NodeIndex node);
  /// What is not a node's own work needs no worker.
  void push(pipeline::StepIndex step) { ready_.push_back({.step = step}); }
  [[nodiscard]] bool can_take();
  /// Only if it can.
  Taken take();
  void done(const Taken& taken);
  /// From now on nothing waits for a domain: what is taken will not be run.
  void lift_limits();
  /// Those that are not to start, in the order in which they would have.
  std::vector<pipeline::StepIndex> remove_if(
      const std::function<bool(pipeline::StepIndex)>& is_unwanted);
  /// Those that wait for their domain may be counted or not.
  [[nodiscard]] std::size_t size() const { return ready_.size(); }
  [[nodiscard]] std::vector<WorkerPool> pools() const;

 private:
  struct Pool {
    WorkerPool workers;
    std::deque<pipeline::StepIndex> waiting;
    bool is_exhausted = false;  // as was told
  };

  const OnChange on_change_;
  std::vector<std::int32_t> pool_of_;  // of each node; empty when there are no domains
  std::vector<Pool> pools_;
  std::deque<Taken> ready_;
};

}  // namespace weir::engine
