#include "engine/run_signals.h"

#include <algorithm>
#include <array>

#include "base/exception.h"
#include "base/text.h"
#include "engine/execution.h"
#include "engine/failures.h"

// How requests come in, are decided and recorded. What each kind is and does: signal_kinds.cc.
namespace weir::engine {

using event::Field;
using event::Type;
using pipeline::NodeIndex;
using State = pipeline::Scheduler::State;

/// More requests than these in a minute are a mistake of whoever asks.
constexpr std::ptrdiff_t kMaxAMinute = 60;
/// Of when what was last heard was asked: enough for what came late from several processes.
constexpr std::size_t kMaxRemembered = 1'000;

void RunSignals::ask(SignalRequest request) {
  bool accepted = false;
  {
    const std::lock_guard lock(execution_.mutex_);
    if (!open_) return early_.push_back(std::move(request));
    request.type = canonical_signal_type(request.type);
    if (closed_ || is_decided(request.signal_id)) return;
    const auto payload = read_payload(request, execution_.output_store_.artifacts);
    auto decision =
        payload ? judge(request)
                : SignalDecision::rejected("SIGNAL_INVALID_PAYLOAD", payload.error().message);
    if (is_too_often(request)) {
      decision = SignalDecision::rejected("SIGNAL_RATE_LIMITED",
                                          "more than " + std::to_string(kMaxAMinute) + " a minute");
    }
    accepted = settle(request, decision);
  }
  if (!accepted) return;
  const auto& on_pause = execution_.request_.on_pause;
  if (on_pause && (request.type == "pause" || request.type == "resume")) {
    on_pause(request.type == "pause");
  }
  call_user(request);
}

void RunSignals::ask_early() {
  std::vector<SignalRequest> early;
  {
    const std::lock_guard lock(execution_.mutex_);
    early = std::move(early_);
  }
  for (auto& request : early) ask(std::move(request));
}

bool RunSignals::is_decided(const std::string& signal_id) const {
  return decided_.contains(signal_id);
}

/// Counts by when it was asked: what was asked over hours, while nobody had the run, is not much
/// when it is heard at once. Whoever wants the run to end is heard.
bool RunSignals::is_too_often(const SignalRequest& request) {
  if (request.type == "cancel" || request.type == "emergency-stop") return false;
  const auto at =
      request.asked_at != Timestamp() ? request.asked_at : execution_.run_.clock().now();
  const auto is_of_its_minute = [at](Timestamp other) {
    return std::chrono::abs(at - other) <= std::chrono::minutes(1);
  };
  // Those of several processes do not come in their order.
  if (std::ranges::count_if(asked_at_, is_of_its_minute) >= kMaxAMinute) return true;
  asked_at_.push_back(at);
  if (asked_at_.size() > kMaxRemembered) asked_at_.pop_front();
  return false;
}

SignalDecision RunSignals::judge(const SignalRequest& request) {
  auto decision = policy_.check(request);
  if (decision.kind != SignalDecision::Kind::kAccepted) return decision;
  if (execution_.finished_ && !may_stop_undo(request)) {
    return SignalDecision::rejected("RUN_TERMINAL", "the run has ended");
  }
  const auto* kind = kind_of(request.type);
  return kind == nullptr ? SignalDecision() : (this->*kind->judge)(request);
}

/// Nothing of the run goes on but what takes back what it has done.
bool RunSignals::may_stop_undo(const SignalRequest& request) const {
  return request.type == "emergency-stop" && !closed_ && !execution_.is_ended_at_once_ &&
         execution_.scheduler_.outcome() != pipeline::RunOutcome::kCompleted;
}

bool RunSignals::settle(const SignalRequest& request, const SignalDecision& decision) {
  auto& run = execution_.run_;
  decided_[request.signal_id] = decision.kind;
  run.emit(event_type(decision.kind), SignalFields(request, decision).get());
  if (decision.kind == SignalDecision::Kind::kDeferred) defer(request);
  if (decision.kind != SignalDecision::Kind::kAccepted) return false;
  if (!run.flush()) return false;  // what is not recorded does not happen
  if (const auto* kind = kind_of(request.type)) act(*kind, request);
  return true;
}

void RunSignals::act(const Kind& kind, const SignalRequest& request) {
  (this->*kind.say)(request);
  (this->*kind.apply)(request, execution_.commands_);
  unsaid_overrides_.clear();
  execution_.carry_out();
}

void RunSignals::call_user(const SignalRequest& request) {
  const auto* type = policy_.types.find(request.type);
  if (type == nullptr || !type->act) return;
  const auto done = call_caught([&] {
    type->act(request);
    return Result<void>();
  });
  if (done) return;
  const auto message = "the signal '" + type->name + "' " + done.error().message;
  const std::array<event::FieldValue, 2> fields = {
      {{Field::kMessage, std::string_view(message)},
       {Field::kSignalId, std::string_view(request.signal_id)}}};
  execution_.run_.emit(Type::kLog, event::Level::kError, fields);
}

void RunSignals::follow(const SignalRequest& request) {
  if (request.type == "emergency-stop") return stop_with(request);
  const std::lock_guard lock(execution_.mutex_);
  auto& scheduler = execution_.scheduler_;
  const bool is_pause = request.type == "pause";
  if (execution_.finished_ || (is_pause && scheduler.is_stopping())) return;
  is_held_ = is_pause;
  if (is_paused_) return;  // and stays so, for a reason of its own
  if (is_held_) {
    say_pause(request);
    hold_back();
  } else if (scheduler.is_paused()) {
    say_resume(request);
    scheduler.resume(execution_.commands_);
  }
  execution_.carry_out();
}

/// Also when it has only its end to say, or is undoing what it has done.
void RunSignals::stop_with(const SignalRequest& request) {
  {
    const std::lock_guard lock(execution_.mutex_);
    execution_.finished_ ? give_up_undo() : give_up_all();
    cancel(request, execution_.commands_);
    execution_.carry_out();
  }
  execution_.end_at_once_();
}

void RunSignals::reconsider() {
  for (std::size_t i = 0; i < deferred_.size();) {
    const auto decision = judge(deferred_[i]);
    if (decision.kind == SignalDecision::Kind::kDeferred) {
      ++i;
      continue;
    }
    const auto request = std::move(deferred_[i]);
    deferred_.erase(deferred_.begin() + static_cast<std::ptrdiff_t>(i));
    // Users' own types are never deferred, so there is nobody to call.
    static_cast<void>(settle(request, decision));
  }
}

void RunSignals::defer(const SignalRequest& request) {
  deferred_.push_back(request);
  execution_.timers_.start(execution_.request_.max_deferral,
                           [this, id = request.signal_id] { reject_late(id); });
}

void RunSignals::reject_late(const std::string& signal_id) {
  const std::lock_guard lock(execution_.mutex_);
  const auto late = std::ranges::find(deferred_, signal_id, &SignalRequest::signal_id);
  if (late == deferred_.end()) return;
  const auto request = std::move(*late);
  deferred_.erase(late);
  const auto limit = static_cast<double>(execution_.request_.max_deferral.count());
  static_cast<void>(settle(
      request,
      SignalDecision::rejected("SIGNAL_EXPIRED", "it was deferred for " + text::duration(limit))));
}

void RunSignals::reject_open() {
  const std::lock_guard lock(execution_.mutex_);
  closed_ = true;
  const auto left = std::move(deferred_);
  for (const auto& request : left) {
    static_cast<void>(
        settle(request, SignalDecision::rejected("RUN_TERMINAL", "the run has ended")));
  }
}

// ---- questions
// -----------------------------------------------------------------------------------

void RunSignals::ask_approval(NodeIndex node) {
  const auto& definition = execution_.node_at(node);
  const auto step = execution_.step_of(node);
  const auto& approval = *definition.approval;
  if (asked_.insert(node).second) {
    execution_.events_of(step, 1).approval_requested(approval.message, approval.timeout);
  }
  if (approval.timeout) {
    execution_.timers_.start(*approval.timeout, [this, node] { deny_late(node); });
  }
  execution_.report_later({.kind = NodeUpdate::Kind::kAsked,
                           .node_id = definition.id.text,
                           .message = approval.message});
}

void RunSignals::deny_late(NodeIndex node) {
  const std::lock_guard lock(execution_.mutex_);
  if (!asked_.contains(node)) return;
  carry_out_answer(node, {.reason = std::string(kApprovalTimeout)}, execution_.commands_);
  execution_.carry_out();
}

/// A question was answered: that is on disk before anything follows from it.
void RunSignals::carry_out_answer(NodeIndex node, const Answer& answer, Commands& commands) {
  if (execution_.scheduler_.state(node) != State::kAsked) return;
  auto& run = execution_.run_;
  execution_.events_of(execution_.step_of(node), 1)
      .approval_decided(answer.approved ? "approved" : "denied", answer.reason, answer.actor_id);
  asked_.erase(node);
  if (!run.flush()) return;
  if (answer.approved) return execution_.scheduler_.approved(node, commands);
  refuse(node, answer, commands);
}

/// A node that may not run has failed.
void RunSignals::refuse(NodeIndex node, const Answer& answer, Commands& commands) {
  const auto step = execution_.step_of(node);
  auto events = execution_.events_of(step, execution_.scheduler_.attempts(node) + 1,
                                     execution_.wide_at(step));
  const bool was_late = answer.reason == kApprovalTimeout;
  events.tool_denied(was_late ? kApprovalTimeout : "approval_denied", {});
  events.started(execution_.predecessor_ids(node));
  auto message =
      was_late ? "nobody has approved it in time" : "'" + answer.actor_id + "' has denied it";
  if (!was_late && !answer.reason.empty()) message += ": " + answer.reason;
  tool::Failure failure{.type = "ApprovalDenied",
                        .message = "node '" + step.id + "': " + message,
                        .exit_code = {},
                        .usage = {},
                        .retryable = false};
  events.failed(0, failure);
  execution_.report_later(
      {.kind = NodeUpdate::Kind::kFailed, .node_id = step.id, .message = failure.message});
  execution_.note_failed(node, pipeline::ErrorCategory::kPermanent, std::move(failure), commands);
}

// ---- a run that is taken up
// ----------------------------------------------------------------------

Result<bool> RunSignals::hear_again(const NodeFact& fact, Commands& commands) {
  auto& scheduler = execution_.scheduler_;
  switch (fact.type) {
    case Type::kSignalAccepted:
    case Type::kSignalDeferred:
    case Type::kSignalRejected:
      break;
    case Type::kApprovalRequested:
      if (const auto node = execution_.find_step(fact.node_id, commands)) asked_.insert(*node);
      return true;
    case Type::kApprovalDecided: {
      const auto node = execution_.find_step(fact.node_id, commands);
      if (!node || scheduler.state(*node) != State::kAsked) return true;
      const bool approved = fact.outcome == "approved";
      answers_.erase(*node);
      asked_.erase(*node);
      if (approved) {
        scheduler.approved(*node, commands);
      } else {
        refused_[*node] = {.actor_id = fact.actor_id, .reason = fact.reason};
      }
      return true;
    }
    case Type::kPipelineResumed:
      is_paused_ = false;
      scheduler.resume(commands);
      return true;
    default:
      return false;
  }
  auto request = *fact.signal;
  request.type = canonical_signal_type(request.type);
  WEIR_TRY(read_payload(request, execution_.output_store_.artifacts));
  std::erase_if(deferred_, [&](const auto& one) { return one.signal_id == request.signal_id; });
  auto& decided = decided_[request.signal_id];
  decided = fact.type == Type::kSignalAccepted   ? SignalDecision::Kind::kAccepted
            : fact.type == Type::kSignalDeferred ? SignalDecision::Kind::kDeferred
                                                 : SignalDecision::Kind::kRejected;
  if (decided == SignalDecision::Kind::kDeferred) defer(request);
  const auto* kind = kind_of(request.type);
  if (decided == SignalDecision::Kind::kAccepted && kind != nullptr) {
    (this->*kind->apply)(request, commands);
  }
  return true;
}

std::string_view RunSignals::skip_reason(NodeIndex node) const {
  const auto found = skipped_.find(node);
  return found == skipped_.end() ? std::string_view() : found->second;
}

void RunSignals::go_on(Commands& commands) {
  const auto answers = std::move(answers_);
  for (const auto& [node, answer] : answers) carry_out_answer(node, answer, commands);
  for (const auto& [node, answer] : refused_) {
    if (execution_.scheduler_.state(node) == State::kAsked) refuse(node, answer, commands);
  }
  for (const auto node : std::exchange(unsaid_overrides_, {})) {
    record_override(node, execution_.scheduler_.attempts(node), *execution_.outputs_[node]);
  }
  is_paused_ = false;
  if (execution_.scheduler_.is_paused()) execution_.scheduler_.resume(commands);
}

}  // namespace weir::engine
