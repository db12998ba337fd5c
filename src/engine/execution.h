#pragma once

// Long: one object, whose concepts have a source each: execution.cc, workers.cc, plan.cc,
// guards.cc, undo.cc, execution_streams.cc, take_up.cc. What people ask of it is run_signals.h.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
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
#include "engine/ready_queue.h"
#include "engine/recorded_run.h"
#include "engine/run_place.h"
#include "engine/run_signals.h"
#include "engine/streams.h"
#include "engine/take_up.h"
#include "engine/timers.h"
#include "engine/undo_stack.h"
#include "pipeline/graph.h"
#include "pipeline/guard_progress.h"
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

  /// Until nothing runs any more. `end_at_once` is called when it is said to have ended before
  /// that, from some thread. Errors: a node's output could not be kept.
  [[nodiscard]] Result<void> run(std::function<void()> end_at_once);

  // What it holds of its own progress, for a RunWatcher, and before `run`, of a run that was taken
  // up.

  /// Where a node or an item stands.
  struct Standing {
    pipeline::Scheduler::State state;
    int attempts;    ///< that were commanded
    bool has_begun;  ///< an attempt of it runs
    bool is_ending;  ///< it runs no more, and perhaps the log says already how that went
    bool is_lost;    ///< a lost process had begun it, and this one has not
  };
  /// Nothing: it has none of that id.
  [[nodiscard]] std::optional<Standing> standing(std::string_view node_id) const;
  [[nodiscard]] bool is_paused() const { return scheduler_.is_paused(); }
  [[nodiscard]] std::int64_t last_number() const { return run_.last_number(); }

  [[nodiscard]] pipeline::RunOutcome outcome() const { return scheduler_.outcome(); }
  /// How many are at a node. From any thread.
  [[nodiscard]] std::int64_t busy_workers();
  /// Of a node or an item; empty: none has.
  [[nodiscard]] std::string first_failed_id();
  /// Every item is one.
  [[nodiscard]] std::int64_t node_count() const;
  /// Of the first node that failed, or of the run.
  [[nodiscard]] const tool::Failure& failure() const { return failure_; }
  [[nodiscard]] const RunSignals& signals() const { return signals_; }
  /// Before the run's last event.
  void reject_open_signals() { signals_.reject_open(); }
  [[nodiscard]] std::vector<OutputPointer>& outputs() { return outputs_; }
  /// Of a run that completed: the initial payload updated with the outputs of the output nodes.
  [[nodiscard]] json::Object result() const;
  /// What is known of each node, if wide events are wanted; otherwise empty.
  [[nodiscard]] std::vector<project::NodeWide> wide_nodes();
  /// Every item is one.
  [[nodiscard]] std::int64_t completed_count() const {
    return count(pipeline::Scheduler::State::kCompleted);
  }
  [[nodiscard]] std::int64_t failed_count() const {
    return count(pipeline::Scheduler::State::kFailed);
  }
  [[nodiscard]] const std::vector<UndoFailure>& undo_failures() const { return undo_failures_; }

 private:
  friend class RunSignals;

  /// A step that a worker has taken up.
  struct Running {
    Running(pipeline::StepIndex its_step, int its_attempt, std::stop_source its_stop = {})
        : step(its_step), attempt(its_attempt), stop(std::move(its_stop)) {}

    pipeline::StepIndex step;
    int attempt;
    SpanId span = SpanId::make();
    std::stop_source stop;   ///< requested under mutex_
    bool has_begun = false;  ///< under mutex_: its start is recorded
    bool was_lost = false;   ///< a lost process had begun it
    std::chrono::nanoseconds started_at{};
    /// Whoever sets it says how the attempt has ended, or has taken back that it begins.
    std::atomic<bool> ended = false;
  };
  /// What an id names.
  struct Name {
    pipeline::NodeIndex node = 0;
    std::optional<std::uint32_t> item{};
  };
  [[nodiscard]] std::optional<Name> read_name(std::string_view id) const;
  [[nodiscard]] std::optional<pipeline::StepIndex> known_step(const Name& name) const;
  [[nodiscard]] std::optional<pipeline::StepIndex> find_step(
      std::string_view node_id, pipeline::Scheduler::Commands& commands);
  [[nodiscard]] std::optional<pipeline::StepIndex> known_step(std::string_view node_id) const;
  Result<void> tell_again(pipeline::StepIndex step, const NodeFact& fact,
                          pipeline::Scheduler::Commands& commands);
  Result<void> tell_end(pipeline::StepIndex step, const NodeFact& fact,
                        pipeline::Scheduler::Commands& commands);
  Result<void> tell_completed(pipeline::StepIndex step, const NodeFact& fact,
                              pipeline::Scheduler::Commands& commands);
  void tell_failed(pipeline::StepIndex step, const NodeFact& fact,
                   pipeline::Scheduler::Commands& commands);
  Result<void> tell_of_guard(pipeline::StepIndex step, const NodeFact& fact,
                             pipeline::Scheduler::Commands& commands);
  void tell_begin_again(pipeline::Scheduler::Commands& commands);
  void tell_stop(bool failed, pipeline::Scheduler::Commands& commands);
  void go_on();
  void go_on_with_guards(pipeline::Scheduler::Commands& commands);
  [[nodiscard]] std::chrono::milliseconds left_to_wait(pipeline::StepIndex step) const;
  void say_unsaid_retry(const std::string& id, std::string_view reason);
  [[nodiscard]] std::int64_t count(pipeline::Scheduler::State state) const;
  void work();
  void prepare(const Step& step, Running& running);
  [[nodiscard]] std::string skipped_because(pipeline::NodeIndex index,
                                            const NodeCalls::Plan& plan) const;
  void carry_out_plan(pipeline::NodeIndex index, const NodeCalls::Plan& plan,
                      pipeline::Scheduler::Commands& commands);
  void keep_items(pipeline::NodeIndex index);
  [[nodiscard]] Step step_of(pipeline::StepIndex index) const;
  [[nodiscard]] const std::vector<std::string>& predecessor_ids(pipeline::NodeIndex node);
  /// Of another tool that the node was given (update-target), its `effects_once` says it.
  [[nodiscard]] bool acts_once(const Step& step) const {
    return acts_once_[step.node_index] || step.node.effects_once;
  }
  [[nodiscard]] const pipeline::Node& node_at(pipeline::NodeIndex index) const;
  [[nodiscard]] bool is_queued(pipeline::StepIndex step) const;
  /// Under mutex_. Whether a lost process had begun it, and this one has not.
  [[nodiscard]] bool is_lost(pipeline::StepIndex step) const {
    return taken_up_.unended.contains(step);
  }
  /// Under mutex_.
  [[nodiscard]] bool is_wanted(pipeline::StepIndex step) const {
    return !scheduler_.is_stopping() && !scheduler_.is_unwanted(step);
  }
  void withdraw(pipeline::StepIndex step);
  void request_stop(pipeline::StepIndex step);
  std::vector<pipeline::StepIndex> take_unbegun();  // under mutex_
  [[nodiscard]] std::expected<json::Object, std::vector<Problem>> bound_params(
      const json::Object& given) const;
  [[nodiscard]] project::NodeWide* wide_of(const Step& step);
  [[nodiscard]] project::NodeWide* wide_at(const Step& step);  // under mutex_
  [[nodiscard]] std::optional<tool::Failure> reason_not_to_begin(const Step& step,
                                                                 const Running& running);
  [[nodiscard]] bool begin(const Step& step, Running& running);
  void give_up(Running& running);
  [[nodiscard]] ChildRuns::Slot wait_for_slot(const Step& step, const Running& running,
                                              std::unique_lock<std::mutex>& lock);
  void run_step(const Step& step, Running& running, NodeEvents& events, NodeContext& context,
                std::unique_lock<std::mutex>& lock);
  // Nodes that streams join start together: execution_streams.cc.
  /// One of them.
  struct Member {
    Member(const Step& its_step, int attempt) : step(its_step), running(its_step.index, attempt) {}

    Step step;
    Running running;
    std::unique_ptr<NodeEvents> events{};  // once it has begun
  };
  void run_group(pipeline::NodeIndex leader, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] std::optional<std::thread> start_member(Member& member);
  void run_member(Member& member);
  void refuse_member(Member& member);
  [[nodiscard]] std::optional<tool::Failure> keep(const Step& step, NodeEvents& events,
                                                  double duration_ms, const tool::Output& output,
                                                  const KnownOutputs::Answer& known);
  void end_wide(const Step& step);
  void complete(const Step& step, NodeEvents& events, OutputPointer output, bool was_known,
                std::unique_lock<std::mutex>& lock);
  void note_completed(pipeline::StepIndex step, OutputPointer output,
                      pipeline::Scheduler::Commands& commands);
  void fail(const Step& step, NodeEvents& events, double duration_ms, tool::Failure failure);
  /// `step` outlives them.
  [[nodiscard]] NodeEvents events_of(const Step& step, int attempt,
                                     project::NodeWide* wide = nullptr,
                                     SpanId span = SpanId::make());
  void note_failed(pipeline::StepIndex step, pipeline::ErrorCategory category,
                   tool::Failure failure, pipeline::Scheduler::Commands& commands);
  void revise_failure();
  void report(const NodeUpdate& update);
  /// For whoever has the mutex: no callback is called under it.
  void report_later(const NodeUpdate& update);
  void cancel();
  void limit_time();
  void end_late();
  void stop_late(pipeline::Scheduler::Commands& commands);  // under mutex_
  void note_undo(pipeline::StepIndex index, OutputPointer output, Timestamp completed_at);
  [[nodiscard]] bool is_judged(pipeline::StepIndex step, pipeline::ErrorCategory category) const;
  [[nodiscard]] bool judge(const Step& guard, NodeEvents& events,
                           pipeline::Scheduler::Commands& commands);
  pipeline::GuardProgress::Verdict count_failure(pipeline::NodeIndex guard, Timestamp at);
  [[nodiscard]] pipeline::NodeIndex retried_by(const pipeline::Node& guard) const;
  void note_guard_completed(const Step& step, NodeEvents& events);
  [[nodiscard]] bool has_begun_items(pipeline::NodeIndex node) const;
  void say_again(pipeline::NodeIndex node);
  [[nodiscard]] int attempts_before(pipeline::StepIndex step) const;
  void say_items_again(pipeline::NodeIndex node);
  void note_said_again(const std::string& id) {
    if (has_guards_) said_again_.insert(id);
  }
  void forget(pipeline::NodeIndex node);
  void undo_completed();
  [[nodiscard]] bool undo(const UndoStack::Done& done, bool is_first);
  [[nodiscard]] bool begin_undo(NodeEvents& events, const NodeEvents::Undo& undo);
  /// Asks the scheduler, and does what it says.
  template <class Ask>
  void decide(Ask ask) {
    const std::lock_guard lock(mutex_);
    decide_at_once(ask);
  }
  template <class Ask>
  void decide_at_once(Ask ask) {  // under mutex_
    ask(commands_);
    carry_out();
    signals_.reconsider();
  }
  // Under mutex_.
  void carry_out();  // commands_
  void tell_watcher() const {
    if (request_.watcher != nullptr) request_.watcher->moved(*this);
  }
  void make_ready(pipeline::StepIndex step);
  void wake_workers();
  void let_begin();
  [[nodiscard]] bool add_worker();

  const RunRequest& request_;
  const OutputStore output_store_;
  record::Run& run_;
  const RunPlace& place_;
  ChildRuns& children_;
  const pipeline::Graph graph_;
  std::vector<std::int64_t> step_index_;  // of each node
  const std::vector<bool> acts_once_;     // of each node; see acts_once

  std::vector<project::NodeWide> wide_nodes_;  // each written by the thread that runs the node

  std::mutex report_mutex_;  // one update at a time
  std::mutex mutex_;
  std::condition_variable changed_;
  pipeline::Scheduler scheduler_;
  std::vector<pipeline::Command> commands_;
  ReadyQueue ready_;
  std::vector<OutputPointer> outputs_;  // of each node; written before its successors are ready
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
  std::chrono::microseconds ran_before_{};  // in processes that are gone
  bool is_telling_ = false;                 // the scheduler hears what is recorded already
  TakenUp taken_up_;
  std::vector<std::thread> workers_;
  int idle_ = 0;
  bool finished_ = false;
  bool may_begin_ = false;         // what was asked before is answered
  std::vector<Running*> running_;  // one a worker at the most
  std::vector<std::string> predecessor_ids_;
  std::deque<json::Object> params_;  // the newest last; those before may still be looked at
  /// Nodes that others are run in the place of; the newest last.
  std::vector<std::pair<pipeline::NodeIndex, std::unique_ptr<const pipeline::Node>>> retargeted_;
  RunSignals signals_;
  std::function<void()> end_at_once_;
  std::atomic<bool> is_ended_at_once_ = false;  // the run around may say so at any time
  tool::Failure failure_;                       // of the first node that failed, or of the run
  std::optional<Error> storage_error_;
  std::optional<pipeline::StepIndex> failed_step_;  // whose failure that is
  std::atomic<bool> run_timed_out_ = false;
  UndoStack undo_stack_;
  std::stop_source undo_stop_;  // requested under mutex_
  std::vector<UndoFailure> undo_failures_;
  std::map<pipeline::NodeIndex, pipeline::GuardProgress> guards_;
  bool has_guards_ = false;
  std::set<std::string, std::less<>> said_again_;  // whose next attempt is said
  Timers timers_;                                  // last: what it does needs all of the above
};

}  // namespace weir::engine
