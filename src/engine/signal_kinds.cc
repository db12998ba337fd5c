#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "engine/execution.h"
#include "engine/failures.h"
#include "engine/run_signals.h"

// What can be asked of a run: when it may be, what is recorded of it, what it does.
namespace weir::engine {

using event::Field;
using event::Type;
using pipeline::NodeIndex;
using pipeline::RunOutcome;
using State = pipeline::Scheduler::State;

const RunSignals::Kind* RunSignals::kind_of(std::string_view type) {
  using S = RunSignals;
  static constexpr Kind kKinds[] = {
      {"pause", &S::judge_pause, &S::say_pause, &S::pause},
      {"resume", &S::judge_resume, &S::say_resume, &S::resume},
      {"cancel", &S::judge_cancel, &S::say_nothing, &S::cancel},
      {"retry-step", &S::judge_retry, &S::say_retry, &S::retry},
      {"retry-run", &S::judge_retry_of_run, &S::say_nothing, &S::retry_run},
      {"skip-step", &S::judge_unbegun, &S::say_skip, &S::skip},
      {"update-params", &S::judge_params, &S::say_nothing, &S::update_params},
      {"inject-override", &S::judge_override, &S::say_override, &S::override_output},
      {"update-target", &S::judge_target, &S::say_nothing, &S::update_target},
      {"emergency-stop", &S::judge_always, &S::say_emergency, &S::cancel},
      {"escalate-alert", &S::judge_alert, &S::say_alert, &S::do_nothing},
      {"approve", &S::judge_answer, &S::say_answer, &S::keep_answer},
      {"deny", &S::judge_answer, &S::say_answer, &S::keep_answer},
  };
  const auto* found = std::ranges::find(kKinds, type, &Kind::name);
  return found == std::end(kKinds) ? nullptr : found;
}

namespace {

/// What has been in a stream is gone, and who is joined by one has begun.
SignalDecision in_stream() {
  return SignalDecision::rejected("STEP_IN_STREAM", "a stream joins the node with others");
}

SignalDecision invalid_payload(std::string why) {
  return SignalDecision::rejected("SIGNAL_INVALID_PAYLOAD", std::move(why));
}

/// "plugin.tool"; empty words: it is none.
std::pair<std::string, std::string> target_of(const SignalRequest& request) {
  const auto* target = request.payload.find("target");
  const auto* text = target == nullptr ? nullptr : target->string();
  if (text == nullptr) return {};
  const auto dot = text->find('.');
  if (dot == std::string::npos) return {};
  return {text->substr(0, dot), text->substr(dot + 1)};
}

std::string text_of(const SignalRequest& request, std::string_view key) {
  const auto* value = request.payload.find(key);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

std::string with_actor(std::string text, const SignalRequest& request) {
  if (!request.actor_id.empty()) text += " by " + request.actor_id;
  return request.reason.empty() ? text : text + ": " + request.reason;
}

}  // namespace

SignalDecision RunSignals::not_found(const SignalRequest& request) const {
  const auto name = execution_.read_name(request.node_id);
  if (request.type != "retry-step" && name && name->item &&
      execution_.node_at(name->node).for_each) {
    return SignalDecision::rejected("STEP_IS_ITEM",
                                    "'" + request.node_id + "' is an item of node '" +
                                        execution_.node_at(name->node).id.text +
                                        "', whose items make one output: ask it of the node");
  }
  return SignalDecision::rejected("STEP_NOT_FOUND",
                                  "the run has no node '" + request.node_id + "'");
}

NodeIndex RunSignals::node_of(const SignalRequest& request) const {
  const auto node = execution_.graph_.ids.find(request.node_id);
  WEIR_CHECK(node);  // it was judged
  return *node;
}

// ---- when it may be
// ------------------------------------------------------------------------------

SignalDecision RunSignals::judge_always(const SignalRequest&) { return {}; }

/// Also of what ends the run: it ends once.
SignalDecision RunSignals::judge_pause(const SignalRequest& request) {
  if (execution_.scheduler_.is_stopping()) {
    return SignalDecision::rejected("RUN_STOPPING", "the run is ending");
  }
  if (request.type == "pause" && is_paused_) {
    return SignalDecision::rejected("RUN_PAUSED", "the run is paused");
  }
  return {};
}

/// A run that ends to be run anew may still be told that this is not wanted.
SignalDecision RunSignals::judge_cancel(const SignalRequest& request) {
  return wants_retry_of_run_ ? SignalDecision() : judge_pause(request);
}

/// A run inside another is its node's, which waits for it.
SignalDecision RunSignals::judge_retry_of_run(const SignalRequest& request) {
  if (execution_.request_.child == nullptr) return judge_pause(request);
  return SignalDecision::rejected("SIGNAL_UNSUPPORTED",
                                  "a node of run " + execution_.place_.parent_run_id +
                                      " runs it: retry-run of that run, or cancel this one and "
                                      "retry-step of the node");
}

// NOLINTNEXTLINE(readability-make-member-function-const): the table has one type for all
SignalDecision RunSignals::judge_resume(const SignalRequest&) {
  if (is_paused_) return {};
  return SignalDecision::rejected("RUN_NOT_PAUSED", is_held_
                                                        ? "the run around it is paused: resume that"
                                                        : "the run is not paused");
}

SignalDecision RunSignals::judge_retry(const SignalRequest& request) {
  const auto step = execution_.known_step(request.node_id);
  if (!step) return not_found(request);
  if (execution_.graph_.has_stream(execution_.scheduler_.node_of(*step))) return in_stream();
  const auto& scheduler = execution_.scheduler_;
  if (scheduler.can_retry(*step)) return {};
  const auto state = scheduler.state(*step);
  if (state == State::kFailed) {
    return SignalDecision::rejected("RUN_STOPPING", scheduler.is_stopping()
                                                        ? "the run is ending"
                                                        : "the run has gone on without it");
  }
  if (state < State::kCompleted) {
    return SignalDecision::rejected("STEP_NOT_TERMINAL", "the node has not failed");
  }
  return SignalDecision::rejected("STEP_NOT_FAILED",
                                  "the node has not failed: weir rerun runs it again");
}

SignalDecision RunSignals::judge_unbegun(const SignalRequest& request) {
  const auto node = execution_.graph_.ids.find(request.node_id);
  if (!node) return not_found(request);
  if (execution_.graph_.has_stream(*node)) return in_stream();
  const auto& scheduler = execution_.scheduler_;
  const auto state = scheduler.state(*node);
  if (state >= State::kCompleted) {
    return SignalDecision::rejected("STEP_TERMINAL", "the node has ended");
  }
  if (scheduler.is_stopping()) {
    return SignalDecision::rejected("RUN_STOPPING", "the run is ending");
  }
  if (execution_.is_lost(*node)) {
    if (request.type != "skip-step") return {};
    return SignalDecision::deferred(
        "STEP_RUNNING",
        "the process that ran the node was lost: unless it completes, it is done then");
  }
  if (state != State::kPreparing && (scheduler.can_skip(*node) || execution_.is_queued(*node))) {
    return {};
  }
  return SignalDecision::deferred("STEP_RUNNING",
                                  "the node runs: unless it completes, it is done then");
}

SignalDecision RunSignals::judge_override(const SignalRequest& request) {
  if (request.payload.find("output")->object() == nullptr) {
    return invalid_payload("'output' is no JSON object");
  }
  return judge_unbegun(request);
}

SignalDecision RunSignals::judge_target(const SignalRequest& request) {
  const auto [plugin, tool] = target_of(request);
  if (plugin.empty()) return invalid_payload("'target' is a tool, as plugin.tool");
  auto decision = judge_unbegun(request);
  if (decision.kind == SignalDecision::Kind::kRejected) return decision;
  if (auto refusal =
          execution_.calls_.refusal_of_tool(execution_.node_at(node_of(request)), plugin, tool)) {
    return SignalDecision::rejected("INVALID_TARGET", *std::move(refusal));
  }
  return decision;
}

SignalDecision RunSignals::judge_params(const SignalRequest& request) {
  const auto* params = request.payload.find("params")->object();
  if (params == nullptr) return invalid_payload("'params' is no JSON object");
  const auto bound = execution_.bound_params(*params);
  return bound ? SignalDecision() : invalid_payload(bound.error().front().message);
}

SignalDecision RunSignals::judge_alert(const SignalRequest& request) {
  static constexpr std::array<std::string_view, 4> kLevels = {"INFO", "WARNING", "CRITICAL", "P1"};
  if (std::ranges::find(kLevels, text_of(request, "level")) != kLevels.end()) return {};
  return invalid_payload("'level' is INFO, WARNING, CRITICAL or P1");
}

SignalDecision RunSignals::judge_answer(const SignalRequest& request) {
  const auto node = execution_.graph_.ids.find(request.node_id);
  if (!node) return not_found(request);
  if (!execution_.node_at(*node).approval) {
    return SignalDecision::rejected("APPROVAL_NOT_NEEDED", "the node waits for nobody");
  }
  const auto state = execution_.scheduler_.state(*node);
  if (state == State::kAsked) return {};
  if (state < State::kAsked && !execution_.scheduler_.is_stopping()) {
    return SignalDecision::deferred("STEP_NOT_WAITING", "the node does not wait yet");
  }
  return SignalDecision::rejected("STEP_NOT_WAITING", "the node waits no more");
}

// ---- what is recorded of it
// ----------------------------------------------------------------------

void RunSignals::say_nothing(const SignalRequest&) {}

void RunSignals::emit_run_event(Type type, const SignalRequest& request) {
  const auto span = execution_.place_.context.span_id.text();
  std::vector<event::FieldValue> fields = {
      {Field::kAdapter, kLocalAdapter},
      {Field::kSpanId, std::string_view(span.data(), span.size())}};
  if (!request.reason.empty()) fields.push_back({Field::kReason, std::string_view(request.reason)});
  fields.push_back({Field::kSignalId, std::string_view(request.signal_id)});
  if (!request.actor_id.empty()) {
    fields.push_back({Field::kActorId, std::string_view(request.actor_id)});
  }
  execution_.run_.emit(type, fields);
}

void RunSignals::say_pause(const SignalRequest& request) {
  if (execution_.scheduler_.is_paused()) return;  // for another reason
  emit_run_event(Type::kPipelinePaused, request);
  execution_.children_.hand_down(request);
  execution_.report_later({.kind = NodeUpdate::Kind::kPaused});
  if (execution_.request_.on_pause) return;  // what runs is held
  execution_.timers_.start(execution_.request_.pause_drain_timeout,
                           [this, pause = ++pauses_] { alert_if_not_drained(pause); });
}

/// A pause waits for what runs: not for ever without a word.
void RunSignals::alert_if_not_drained(int pause) {
  const std::lock_guard lock(execution_.mutex_);
  if (pause != pauses_ || execution_.finished_ || !execution_.scheduler_.is_paused()) return;
  std::string nodes;
  for (const auto* running : execution_.running_) {
    if (!running->has_begun || running->ended) continue;
    const auto step = execution_.step_of(running->step);
    if (!step.node.pipeline.empty()) continue;  // its run tells itself what runs there
    nodes += (nodes.empty() ? "'" : ", '") + step.id + "'";
  }
  if (nodes.empty()) return;
  const auto limit = static_cast<double>(execution_.request_.pause_drain_timeout.count());
  alert("P2",
        "the run was paused, and after " + text::duration(limit) + " there still runs " + nodes,
        "PAUSE_DRAIN_TIMEOUT");
}

void RunSignals::say_resume(const SignalRequest& request) {
  if (is_held_) return;  // it stays paused
  emit_run_event(Type::kPipelineResumed, request);
  execution_.children_.hand_down(request);
  execution_.report_later({.kind = NodeUpdate::Kind::kResumed});
}

void RunSignals::say_retry(const SignalRequest& request) {
  const auto step = execution_.known_step(request.node_id);
  WEIR_CHECK(step);  // it was judged
  execution_.events_of(execution_.step_of(*step), execution_.scheduler_.attempts(*step))
      .retry_scheduled("signal", {});
}

void RunSignals::say_skip(const SignalRequest& request) {
  const auto step = execution_.step_of(node_of(request));
  const auto reason = with_actor("skipped", request);
  execution_.events_of(step, 1).skipped(reason);
  execution_.report_later(
      {.kind = NodeUpdate::Kind::kSkipped, .node_id = step.id, .message = reason});
}

void RunSignals::say_override(const SignalRequest& request) {
  const auto node = node_of(request);
  // An attempt that is queued has its number and has not begun; one that was lost begins anew.
  const bool is_lost =
      execution_.is_lost(node) && execution_.scheduler_.state(node) == State::kRunning;
  const bool has_number = execution_.is_queued(node) || is_lost;
  record_override(node, execution_.scheduler_.attempts(node) + (has_number ? 0 : 1),
                  *request.payload.find("output")->object());
}

void RunSignals::record_override(NodeIndex node, int attempt, const json::Object& output) {
  const auto step = execution_.step_of(node);
  auto events = execution_.events_of(step, attempt, execution_.wide_at(step));
  events.started(execution_.predecessor_ids(node));
  const auto kept = events.completed(0, {.payload = output, .usage = {}}, json::to_text(output),
                                     execution_.output_store_);
  if (!kept) execution_.storage_error_ = kept.error();
  execution_.report_later({.kind = NodeUpdate::Kind::kCompleted, .node_id = step.id});
}

/// What runs is not waited for: it is said to have been cancelled, and so is the run.
void RunSignals::say_emergency(const SignalRequest& request) {
  alert("P1", with_actor("the run was stopped at once", request));
  if (!execution_.finished_) return give_up_all();
  give_up_undo();
  execution_.timers_.start({}, execution_.end_at_once_);
}

/// The undo that is under way is told to stop, and no other begins.
void RunSignals::give_up_undo() {
  execution_.is_ended_at_once_ = true;
  execution_.undo_stop_.request_stop();
}

void RunSignals::give_up_all() {
  auto& scheduler = execution_.scheduler_;
  auto& commands = execution_.commands_;
  scheduler.stop(RunOutcome::kCancelled, commands);
  execution_.children_.announce_stop_at_once();
  execution_.carry_out();  // whoever runs is told
  execution_.is_ended_at_once_ = true;
  const auto give_up = [&](pipeline::StepIndex step) {
    if (scheduler.state(step) == State::kPreparing) scheduler.prepared(step, {}, commands);
    if (scheduler.state(step) == State::kRunning) scheduler.cancelled(step, commands);
  };
  for (auto* running : execution_.running_) {
    if (running->ended.exchange(true)) continue;
    if (running->has_begun) {
      const auto step = execution_.step_of(running->step);
      const auto duration_ms = milliseconds_since(execution_.run_.clock(), running->started_at);
      execution_.events_of(step, running->attempt, nullptr, running->span)
          .cancelled(duration_ms, {.reason = "the run was stopped at once"}, {});
      execution_.report_later(
          {.kind = NodeUpdate::Kind::kCancelled, .node_id = step.id, .duration_ms = duration_ms});
    }
    give_up(running->step);
  }
  for (const auto step : execution_.take_unbegun()) give_up(step);
  for (const auto step : execution_.ready_.remove_if([](auto) { return true; })) give_up(step);
}

void RunSignals::say_alert(const SignalRequest& request) {
  auto message = with_actor("escalated", request);
  if (const auto note = text_of(request, "note"); !note.empty()) message += ": " + note;
  alert(text_of(request, "level"), message);
}

void RunSignals::alert(std::string_view severity, const std::string& message,
                       std::string_view code) {
  if (execution_.place_.process_runs == nullptr) return;
  json::Object attributes;
  attributes.set("severity", severity);
  const auto text = json::to_text(attributes);
  const auto run = execution_.run_.id().text();
  std::vector<event::FieldValue> fields;
  if (!code.empty()) fields.push_back({Field::kErrorCode, code});
  fields.push_back({Field::kMessage, std::string_view(message)});
  fields.push_back({Field::kTargetRunId, std::string_view(run)});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  // An alert that cannot be recorded is one of a log that has failed, which the run learns itself.
  static_cast<void>(execution_.place_.process_runs->emit(
      record::Retention::kOperations, execution_.place_.context.ids.tenant_id, Type::kAlertFired,
      event::Level::kError, fields));
}

/// After it was kept.
void RunSignals::say_answer(const SignalRequest& request) {
  const auto node = node_of(request);
  keep_answer(request, execution_.commands_);
  const auto answer = answers_.extract(node);
  carry_out_answer(node, answer.mapped(), execution_.commands_);
}

// ---- what it does
// --------------------------------------------------------------------------------

void RunSignals::do_nothing(const SignalRequest&, Commands&) {}

void RunSignals::pause(const SignalRequest&, Commands&) {
  is_paused_ = true;
  hold_back();
}

/// What has not begun does not begin.
void RunSignals::hold_back() {
  execution_.scheduler_.pause();
  for (const auto step : execution_.take_unbegun()) execution_.scheduler_.put_back(step);
}

void RunSignals::resume(const SignalRequest&, Commands& commands) {
  is_paused_ = false;
  if (!is_held_) execution_.scheduler_.resume(commands);
}

/// Whatever was asked before, it is not run anew.
void RunSignals::cancel(const SignalRequest& request, Commands& commands) {
  wants_retry_of_run_ = false;
  const bool at_once = request.type == "emergency-stop";
  if (at_once) execution_.is_ended_at_once_ = true;  // also of a run that is taken up
  stop_reason_ = with_actor(at_once ? "stopped at once" : "asked to stop", request);
  execution_.scheduler_.stop(RunOutcome::kCancelled, commands);
}

void RunSignals::retry_run(const SignalRequest& request, Commands& commands) {
  wants_retry_of_run_ = true;
  stop_reason_ = with_actor("asked to run anew", request);
  execution_.scheduler_.stop(RunOutcome::kCancelled, commands);
}

void RunSignals::retry(const SignalRequest& request, Commands& commands) {
  const auto step = execution_.find_step(request.node_id, commands);
  if (!step || !execution_.scheduler_.can_retry(*step)) return;
  execution_.taken_up_.ended.erase(request.node_id);
  execution_.scheduler_.retry(*step, commands);
  execution_.revise_failure();
}

void RunSignals::skip(const SignalRequest& request, Commands& commands) {
  const auto node = node_of(request);
  execution_.withdraw(node);
  if (!execution_.scheduler_.can_skip(node)) return;
  skipped_[node] = with_actor("skipped", request);
  execution_.scheduler_.skip(node, commands);
}

void RunSignals::override_output(const SignalRequest& request, Commands& commands) {
  const auto node = node_of(request);
  execution_.withdraw(node);
  if (!execution_.scheduler_.can_skip(node)) return;
  execution_.taken_up_.unended.erase(node);
  execution_.outputs_[node] =
      std::make_shared<const json::Object>(*request.payload.find("output")->object());
  unsaid_overrides_.insert(node);
  execution_.scheduler_.override_output(node, commands);
}

void RunSignals::update_params(const SignalRequest& request, Commands&) {
  auto bound = execution_.bound_params(*request.payload.find("params")->object());
  if (bound) execution_.params_.push_back(*std::move(bound));
}

void RunSignals::update_target(const SignalRequest& request, Commands&) {
  const auto node = node_of(request);
  auto changed = execution_.node_at(node);
  std::tie(changed.plugin_id.text, changed.tool_id.text) = target_of(request);
  if (execution_.calls_.has_effects_once(changed)) {
    changed.effects_once = true;
    execution_.scheduler_.try_once(node);
  }
  // Whoever runs the node that was may still look at it.
  execution_.retargeted_.emplace_back(node,
                                      std::make_unique<const pipeline::Node>(std::move(changed)));
}

void RunSignals::keep_answer(const SignalRequest& request, Commands&) {
  answers_[node_of(request)] = {.approved = request.type == "approve",
                                .actor_id = request.actor_id,
                                .reason = request.reason};
}

}  // namespace weir::engine
