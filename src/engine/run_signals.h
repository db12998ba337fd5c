#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/recorded_run.h"
#include "engine/signal_types.h"
#include "pipeline/scheduler.h"

namespace weir::engine {

class Execution;

/// Answers what is asked of a run, and what a run asks of people: decides, records the decision,
/// waits for its commit, and only then acts.
///
///   asked ──► rejected
///     ├─────► accepted ──► acts
///     └─────► deferred ──► looked at again whenever the run has moved; rejected at its end, or
///     when
///                          RunRequest::max_deferral is over
///
/// Once A request whose id was decided is not decided again.
/// Threads  `ask` from any, under no lock. Everything else under the execution's mutex, which it
///          keeps while it waits for a commit: what was decided must still be so when it acts.
class RunSignals {
 public:
  RunSignals(Execution& execution, const SignalPolicy& policy)
      : execution_(execution), policy_(policy) {}

  /// Before `open` it is kept until then.
  void ask(SignalRequest request);
  /// The run begins to move.
  void open() { open_ = true; }
  /// What was asked before. Under no lock.
  void ask_early();
  /// The run around this one was paused, goes on, or was stopped at once: so does this one, unless
  /// it is paused by itself. Under no lock of this run's.
  void follow(const SignalRequest& request);
  /// The run has moved.
  void reconsider();
  /// Before the run's last event.
  void reject_open();

  /// A node needs a person's answer: records the question, unless it was asked before the run was
  /// taken up, and waits as long as it may.
  void ask_approval(pipeline::NodeIndex node);

  [[nodiscard]] std::size_t open_questions() const { return asked_.size(); }
  [[nodiscard]] std::size_t deferred_requests() const { return deferred_.size(); }
  [[nodiscard]] bool wants_retry_of_run() const { return wants_retry_of_run_; }
  /// Of a run that was cancelled.
  [[nodiscard]] const std::string& stop_reason() const { return stop_reason_; }

  // Of a run that is taken up.

  /// Whether the fact was one of signals and approvals. Errors: kConflict; those of the artifacts.
  [[nodiscard]] Result<bool> hear_again(const NodeFact& fact,
                                        pipeline::Scheduler::Commands& commands);
  /// Whether the node's output is somebody's answer; then its events are no tool's.
  [[nodiscard]] bool is_overridden(pipeline::NodeIndex node) const {
    return unsaid_overrides_.contains(node);
  }
  void said_override(pipeline::NodeIndex node) { unsaid_overrides_.erase(node); }
  /// That the node failed is recorded: if it is asked about once more, that is another question.
  void said_refusal(pipeline::NodeIndex node) { refused_.erase(node); }
  /// Why a node was skipped; empty: nobody wanted it to be.
  [[nodiscard]] std::string_view skip_reason(pipeline::NodeIndex node) const;
  /// Does what was decided and not done.
  void go_on(pipeline::Scheduler::Commands& commands);

 private:
  using Commands = pipeline::Scheduler::Commands;
  /// A signal of Weir's own: how it is judged, what its acceptance has recorded, what it does.
  /// `say` is left out when the run is taken up.
  struct Kind {
    std::string_view name;
    SignalDecision (RunSignals::*judge)(const SignalRequest&);
    void (RunSignals::*say)(const SignalRequest&);
    void (RunSignals::*apply)(const SignalRequest&, Commands&);
  };
  struct Answer {
    bool approved = false;
    std::string actor_id;
    std::string reason;
  };

  [[nodiscard]] static const Kind* kind_of(std::string_view type);
  [[nodiscard]] bool is_decided(const std::string& signal_id) const;
  [[nodiscard]] bool is_too_often(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge(const SignalRequest& request);
  [[nodiscard]] bool may_stop_undo(const SignalRequest& request) const;
  /// True: it was accepted and acts.
  [[nodiscard]] bool settle(const SignalRequest& request, const SignalDecision& decision);
  void act(const Kind& kind, const SignalRequest& request);
  void call_user(const SignalRequest& request);
  /// It is looked at again, for as long as it may wait.
  void defer(const SignalRequest& request);
  void reject_late(const std::string& signal_id);

  [[nodiscard]] SignalDecision judge_pause(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_cancel(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_retry_of_run(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_resume(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_always(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_retry(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_unbegun(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_override(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_params(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_target(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_alert(const SignalRequest& request);
  [[nodiscard]] SignalDecision judge_answer(const SignalRequest& request);

  void say_nothing(const SignalRequest& request);
  void say_pause(const SignalRequest& request);
  void say_resume(const SignalRequest& request);
  void say_retry(const SignalRequest& request);
  void say_skip(const SignalRequest& request);
  void say_override(const SignalRequest& request);
  void say_emergency(const SignalRequest& request);
  void say_alert(const SignalRequest& request);
  void say_answer(const SignalRequest& request);

  void do_nothing(const SignalRequest& request, Commands& commands);
  void pause(const SignalRequest& request, Commands& commands);
  void resume(const SignalRequest& request, Commands& commands);
  void cancel(const SignalRequest& request, Commands& commands);
  void retry_run(const SignalRequest& request, Commands& commands);
  void retry(const SignalRequest& request, Commands& commands);
  void skip(const SignalRequest& request, Commands& commands);
  void override_output(const SignalRequest& request, Commands& commands);
  void update_params(const SignalRequest& request, Commands& commands);
  void update_target(const SignalRequest& request, Commands& commands);
  void keep_answer(const SignalRequest& request, Commands& commands);

  [[nodiscard]] SignalDecision not_found(const SignalRequest& request) const;
  void hold_back();
  void give_up_all();
  void give_up_undo();
  void stop_with(const SignalRequest& request);
  void record_override(pipeline::NodeIndex node, int attempt, const json::Object& output);
  void carry_out_answer(pipeline::NodeIndex node, const Answer& answer, Commands& commands);
  void refuse(pipeline::NodeIndex node, const Answer& answer, Commands& commands);
  void deny_late(pipeline::NodeIndex node);
  void emit_run_event(event::Type type, const SignalRequest& request);
  void alert_if_not_drained(int pause);
  void alert(std::string_view severity, const std::string& message, std::string_view code = {});
  [[nodiscard]] pipeline::NodeIndex node_of(const SignalRequest& request) const;

  Execution& execution_;
  const SignalPolicy& policy_;
  bool is_paused_ = false;  // by a signal to it
  bool is_held_ = false;    // with the run around it
  int pauses_ = 0;
  std::map<std::string, SignalDecision::Kind> decided_;  // by signal_id
  std::vector<SignalRequest> deferred_;                  // in the order in which they came
  std::deque<Timestamp> asked_at_;                       // of the last that were heard
  std::set<pipeline::NodeIndex> asked_;                  // whose question is open
  std::map<pipeline::NodeIndex, Answer> answers_;        // accepted, and nothing done yet
  std::map<pipeline::NodeIndex, std::string> skipped_;   // and why
  std::set<pipeline::NodeIndex> unsaid_overrides_;
  std::map<pipeline::NodeIndex, Answer> refused_;  // recorded; perhaps not that the node failed
  std::vector<SignalRequest> early_;               // before `open`
  bool open_ = false;
  bool closed_ = false;
  bool wants_retry_of_run_ = false;
  std::string stop_reason_ = "asked to stop";
};

}  // namespace weir::engine
