#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "engine/child_runs.h"
#include "engine/engine.h"
#include "engine/known_outputs.h"
#include "engine/node_calls.h"
#include "engine/node_events.h"
#include "engine/recorded_run.h"
#include "engine/run_place.h"
#include "engine/streams.h"
#include "engine/timers.h"
#include "pipeline/graph.h"
#include "project/wide_events.h"

namespace weir::engine {

/// One run on the threads of this process: carries out what the scheduler commands.
///
/// Threads  `run` works itself and starts others when there is something for them to do. The
///          scheduler and all members below `mutex_` are guarded by it; nodes run without it. Who
///          completes a node takes the next one itself, so a chain never changes its thread.
class Execution {
 public:
  /// All of them outlive it.
  Execution(const RunRequest& request, const tool::Registry& tools, const OutputStore& outputs,
            record::Run& run, const RunPlace& place, ChildRuns& children);

  /// What another process has done of this run; before `run`. Errors: kConflict when the events are
  /// of another definition; those of the artifact store.
  [[nodiscard]] Result<void> take_up(const RecordedRun& recorded);

  /// Until nothing runs any more. Errors: a node's output could not be kept.
  [[nodiscard]] Result<void> run();

  [[nodiscard]] pipeline::RunOutcome outcome() const { return scheduler_.outcome(); }
  /// Of a node or an item; empty: none has.
  [[nodiscard]] std::string first_failed_id();
  /// Every item is one.
  [[nodiscard]] std::int64_t node_count() const;
  [[nodiscard]] const tool::Failure& failure() const { return failure_; }
  [[nodiscard]] std::vector<OutputPointer>& outputs() { return outputs_; }
  /// Of a run that completed: the initial payload updated with the outputs of the output nodes.
  [[nodiscard]] json::Object result() const;
  /// What is known of each node, if wide events are wanted; otherwise empty.
  [[nodiscard]] std::vector<project::NodeWide> wide_nodes();
  [[nodiscard]] std::int64_t completed_count() const { return completed_; }
  [[nodiscard]] std::int64_t failed_count() const { return failed_; }

 private:
  /// What a recorded run leaves to do.
  struct TakenUp {
    std::set<pipeline::StepIndex> unended;  ///< an attempt began, and nobody knows how it ended
    std::set<pipeline::NodeIndex> said_skips;
    /// Failed, and no retry was announced.
    std::map<pipeline::StepIndex, pipeline::ErrorCategory> unsaid_retries;
  };
  [[nodiscard]] std::optional<pipeline::StepIndex> find_step(
      std::string_view node_id, pipeline::Scheduler::Commands& commands);
  Result<void> tell_again(pipeline::StepIndex step, const NodeFact& fact,
                          pipeline::Scheduler::Commands& commands);
  void go_on();
  void work();
  void prepare(const Step& step);
  [[nodiscard]] std::string skipped_because(pipeline::NodeIndex index,
                                            const NodeCalls::Plan& plan) const;
  void carry_out_plan(pipeline::NodeIndex index, const NodeCalls::Plan& plan,
                      pipeline::Scheduler::Commands& commands);
  void keep_items(pipeline::NodeIndex index);
  [[nodiscard]] Step step_of(pipeline::StepIndex index) const;
  [[nodiscard]] std::vector<std::string> predecessor_ids(pipeline::NodeIndex node) const;
  [[nodiscard]] project::NodeWide* wide_of(const Step& step);
  [[nodiscard]] std::optional<tool::Failure> reason_not_to_begin(const Step& step);
  void run_step(const Step& step, int attempt, const std::stop_source& stop);
  // Nodes that streams join start together: execution_streams.cc.
  /// One of them.
  struct Member {
    Step step;
    int attempt;
    std::stop_source stop;
  };
  void run_group(pipeline::NodeIndex leader, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::optional<std::thread> start_member(const Member& member);
  void run_member(const Member& member);
  void refuse_member(const Member& member);
  [[nodiscard]] std::expected<tool::Output, tool::Failure> keep(const Step& step,
                                                                NodeEvents& events,
                                                                double duration_ms,
                                                                tool::Output output,
                                                                const KnownOutputs::Answer& known);
  void end_wide(const Step& step);
  void complete(const Step& step, OutputPointer output);
  void note_completed(pipeline::StepIndex step, OutputPointer output,
                      pipeline::Scheduler::Commands& commands);
  void fail(const Step& step, NodeEvents& events, double duration_ms, tool::Failure failure);
  /// `step` outlives them.
  [[nodiscard]] NodeEvents events_of(const Step& step, int attempt,
                                     project::NodeWide* wide = nullptr);
  void report(const NodeUpdate& update);
  void cancel();
  void end_late();
  /// Asks the scheduler, and does what it says.
  template <class Ask>
  void decide(Ask ask) {
    const std::lock_guard lock(mutex_);
    ask(commands_);
    carry_out();
  }
  // Under mutex_.
  void carry_out();  // commands_
  void make_ready(pipeline::StepIndex step);
  [[nodiscard]] bool add_worker();

  const RunRequest& request_;
  const OutputStore output_store_;
  record::Run& run_;
  const RunPlace& place_;
  ChildRuns& children_;
  const pipeline::Graph graph_;
  std::vector<std::int64_t> step_index_;  // of each node

  std::vector<project::NodeWide> wide_nodes_;  // each written by the thread that runs the node

  std::mutex report_mutex_;  // one update at a time
  std::mutex mutex_;
  std::condition_variable changed_;
  pipeline::Scheduler scheduler_;
  std::vector<pipeline::Command> commands_;
  std::deque<pipeline::StepIndex> ready_;
  std::vector<std::stop_source> stops_;  // of each step
  std::vector<OutputPointer> outputs_;   // of each node; written before its successors are ready
  /// What `for_each` nodes run for.
  struct Items {
    std::shared_ptr<const json::Array> list;
    pipeline::StepIndex first = 0;
    std::vector<OutputPointer> outputs;   // of each
    std::vector<project::NodeWide> wide;  // each written by the thread that runs it
  };
  std::map<pipeline::NodeIndex, Items> items_;
  std::map<pipeline::NodeIndex, std::vector<pipeline::StepIndex>> starting_;  // groups in ready_
  Streams streams_;
  const NodeCalls calls_;
  KnownOutputs known_outputs_;
  bool is_taken_up_ = false;
  TakenUp taken_up_;
  std::vector<std::thread> workers_;
  int idle_ = 0;
  bool finished_ = false;
  tool::Failure failure_;  // of the first node that failed, or of the run
  std::optional<Error> storage_error_;
  std::int64_t completed_ = 0;
  std::int64_t failed_ = 0;
  Timers timers_;  // last: what it does needs all of the above
};

}  // namespace weir::engine
