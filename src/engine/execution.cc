#include "engine/execution.h"

#include <algorithm>

#include "base/text.h"
#include "engine/failures.h"
#include "engine/pool_events.h"
#include "record/wide_events.h"

namespace weir::engine {

using pipeline::NodeIndex;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

namespace {

bool is_wide(const pipeline::Definition& definition) {
  return definition.wide_events.nodes || definition.wide_events.run;
}

/// Of each node whether it, or its tool, says that its effects are wanted once.
std::vector<bool> acting_once(const pipeline::Definition& definition, const tool::Registry& tools) {
  std::vector<bool> once;
  once.reserve(definition.nodes.size());
  for (const auto& node : definition.nodes) {
    const auto* tool = tools.find(node.plugin_id.text, node.tool_id.text);
    once.push_back(node.effects_once ||
                   (tool != nullptr && tool->spec().effects == tool::Effects::kOnce));
  }
  return once;
}

/// Empty when no node has any.
std::vector<pipeline::StepRules> rules_of(const pipeline::Definition& definition,
                                          const std::vector<bool>& once) {
  std::vector<pipeline::StepRules> rules;
  for (std::size_t i = 0; i < definition.nodes.size(); ++i) {
    const auto& node = definition.nodes[i];
    const bool is_tried_again = node.retry && !once[i];
    if (!is_tried_again && !node.when && !node.for_each && !node.approval) continue;
    rules.resize(definition.nodes.size());
    rules[i] = {.retry = is_tried_again ? &*node.retry : nullptr,
                .needs_preparation = node.when.has_value() || node.for_each.has_value(),
                .needs_approval = node.approval.has_value()};
  }
  return rules;
}

const SignalPolicy& policy_of(const RunRequest& request) {
  static const SignalPolicy everybody;
  return request.signal_policy != nullptr ? *request.signal_policy : everybody;
}

std::uint64_t seed_of(const RunRequest& request, const record::Run& run) {
  if (request.definition.seed) return static_cast<std::uint64_t>(*request.definition.seed);
  return std::hash<std::string>()(run.id().text());
}

}  // namespace

Execution::Execution(const RunRequest& request, const tool::Registry& tools,
                     const OutputStore& outputs, record::Run& run, const RunPlace& place,
                     ChildRuns& children)
    : request_(request),
      output_store_(outputs),
      run_(run),
      place_(place),
      children_(children),
      graph_(request.definition),
      step_index_(graph_.size()),
      acts_once_(acting_once(request.definition, tools)),
      wide_nodes_(is_wide(request.definition) ? graph_.size() : 0,
                  project::NodeWide{.topology = request.definition.id}),
      scheduler_(graph_, rules_of(request.definition, acts_once_), request.definition.on_failure,
                 seed_of(request, run)),
      ready_(request.definition, [&run](const WorkerPool& pool) { record_pool(run, pool); }),
      outputs_(graph_.size()),
      streams_(request.definition, graph_, run),
      calls_(request, tools, run, place, graph_, outputs_, timers_, children),
      known_outputs_(request, output_store_.artifacts, run, place, graph_, calls_),
      params_{request.params},
      signals_(*this, policy_of(request)),
      has_guards_(std::ranges::any_of(request.definition.nodes, [](const auto& node) {
        return node.guard_retry.has_value();
      })) {
  for (std::size_t step = 0; step < graph_.order.size(); ++step) {
    step_index_[graph_.order[step]] = static_cast<std::int64_t>(step);
  }
}

std::optional<Execution::Standing> Execution::standing(std::string_view node_id) const {
  const auto step = known_step(node_id);
  if (!step) return {};
  Standing standing{.state = scheduler_.state(*step),
                    .attempts = scheduler_.attempts(*step),
                    .has_begun = false,
                    .is_ending = false,
                    .is_lost = is_lost(*step)};
  for (const auto* running : running_) {
    if (running->step != *step || running->attempt != standing.attempts) continue;
    // One that was taken back before it began says nothing of the next that was commanded.
    const bool is_at_it = running->has_begun || standing.state == State::kPreparing;
    const bool has_ended = running->ended;
    standing.has_begun |= running->has_begun && !has_ended;
    standing.is_ending |= is_at_it && has_ended;
  }
  return standing;
}

/// Under mutex_, and until it is called again: for node after node the same strings are used.
const std::vector<std::string>& Execution::predecessor_ids(NodeIndex node) {
  const auto predecessors = graph_.predecessors[node];
  predecessor_ids_.resize(predecessors.size());
  for (std::size_t i = 0; i < predecessors.size(); ++i) {
    predecessor_ids_[i] = request_.definition.nodes[predecessors[i]].id.text;
  }
  return predecessor_ids_;
}

json::Object Execution::result() const {
  auto result = request_.payload;
  for (const auto& id : request_.definition.output_nodes) {
    if (const auto node = graph_.ids.find(id.text)) update(result, outputs_[*node]);
  }
  return result;
}

std::string Execution::first_failed_id() {
  const std::lock_guard lock(mutex_);
  const auto step = scheduler_.first_failed();
  return step ? step_of(*step).id : std::string();
}

std::int64_t Execution::node_count() const {
  auto count = static_cast<std::int64_t>(graph_.size());
  for (const auto& [node, items] : items_) {
    count += static_cast<std::int64_t>(items.outputs.size()) - 1;
  }
  return count;
}

/// Once nothing runs. Of nodes and items, for which a `for_each` node is not counted itself.
std::int64_t Execution::count(State state) const {
  std::int64_t count = 0;
  for (NodeIndex node = 0; node < graph_.size(); ++node) {
    const auto how = scheduler_.state(node);
    auto items = scheduler_.items_of(node);
    if (how != State::kExpanded && how != State::kCompleted && how != State::kFailed) items.reset();
    if (!items) count += how == state ? 1 : 0;
    for (StepIndex item = 0; items && item < items->count; ++item) {
      count += scheduler_.state(items->first + item) == state ? 1 : 0;
    }
  }
  return count;
}

std::vector<project::NodeWide> Execution::wide_nodes() {
  if (is_ended_at_once_) return {};  // their workers may still be at them
  auto all = std::move(wide_nodes_);
  for (auto& [node, items] : items_) {
    std::move(items.wide.begin(), items.wide.end(), std::back_inserter(all));
  }
  return all;
}

Result<void> Execution::run(std::function<void()> end_at_once) {
  end_at_once_ = [this, end = std::move(end_at_once)] {
    children_.stop_at_once();
    end();
  };
  const SignalSubscription subscription(
      request_.signals, run_.id(), place_.context.ids.tenant_id,
      [this](SignalRequest request) { signals_.ask(std::move(request)); });
  for (const auto& pool : ready_.pools()) record_pool(run_, pool);
  if (is_taken_up_) {
    go_on();
  } else {
    decide([this](auto& commands) {
      signals_.open();
      scheduler_.start(commands);
    });
  }
  limit_time();
  signals_.ask_early();
  const Pauses::Subscription pauses(
      request_.child != nullptr ? &request_.child->pauses : nullptr,
      [this](const SignalRequest& request) { signals_.follow(request); });
  let_begin();
  {
    const std::stop_callback on_stop(request_.stop, [this] {
      const auto* around = request_.child;
      if (around == nullptr || !around->pauses.stops_at_once()) cancel();
    });
    const std::stop_callback on_lost(run_.lost(), [this] {
      // Not from the writer's thread: whoever has the mutex may be waiting for the writer.
      if (stops_without_record(request_)) timers_.start({}, [this] { cancel(); });
    });
    work();
  }
  for (auto& worker : workers_) worker.join();
  undo_completed();
  is_ended_at_once_ ? children_.stop_at_once() : children_.end_lost();
  if (storage_error_) return std::unexpected(*storage_error_);
  return {};
}

NodeEvents Execution::events_of(const Step& step, int attempt, project::NodeWide* wide,
                                SpanId span) {
  return {run_, step.node, step.id, step_index_[step.node_index], attempt, place_, wide, span};
}

/// Under mutex_.
Step Execution::step_of(StepIndex index) const {
  const auto node = scheduler_.node_of(index);
  Step step{.index = index,
            .node_index = node,
            .node = node_at(node),
            .id = request_.definition.nodes[node].id.text,
            .params = params_.back()};
  if (const auto item = scheduler_.item_of(index)) {
    step.id += "[" + std::to_string(*item) + "]";
    step.item = &(*items_.at(node).list)[*item];
  }
  return step;
}

/// Under mutex_.
const pipeline::Node& Execution::node_at(NodeIndex index) const {
  const auto found = std::find_if(retargeted_.rbegin(), retargeted_.rend(),
                                  [&](const auto& one) { return one.first == index; });
  return found == retargeted_.rend() ? request_.definition.nodes[index] : *found->second;
}

std::expected<json::Object, std::vector<Problem>> Execution::bound_params(
    const json::Object& given) const {
  auto params = params_.back();
  params.update(given);
  return pipeline::bind(request_.definition.params, params);
}

project::NodeWide* Execution::wide_of(const Step& step) {
  if (wide_nodes_.empty()) return nullptr;
  const std::lock_guard lock(mutex_);
  return wide_at(step);
}

project::NodeWide* Execution::wide_at(const Step& step) {
  if (wide_nodes_.empty()) return nullptr;
  if (step.item == nullptr) return &wide_nodes_[step.node_index];
  auto& items = items_.at(step.node_index);
  return &items.wide[step.index - items.first];
}

/// Without `lock`, which it may have when it returns: whoever goes on needs it again.
void Execution::run_step(const Step& step, Running& running, NodeEvents& events,
                         NodeContext& context, std::unique_lock<std::mutex>& lock) {
  const auto& clock = run_.clock();
  report({.kind = NodeUpdate::Kind::kStarted, .node_id = step.id});
  const auto known = known_outputs_.ask(step, running.attempt, events);
  if (!known.output && acts_once(step)) {
    if (auto refusal = reason_not_to_begin(step, running)) {
      if (running.ended.exchange(true)) return;
      return fail(step, events, 0, *std::move(refusal));
    }
  }
  auto output = known.output ? tool::Output{.payload = *known.output, .usage = {}}
                             : calls_.call(step, running.attempt, running.stop.get_token(), events,
                                           streams_.ends_of(step.node_index), context);
  if (running.ended.exchange(true)) return;  // the run was stopped at once
  const auto duration_ms = milliseconds_since(clock, running.started_at);
  if (output) streams_.complete(step.node_index);
  if (output) {
    if (auto failure = keep(step, events, duration_ms, *output, known)) {
      output = std::unexpected(*std::move(failure));
    }
  }
  if (output) {
    report({.kind = NodeUpdate::Kind::kCompleted,
            .node_id = step.id,
            .duration_ms = duration_ms,
            .message = known.output ? "cached" : ""});
    return complete(step, events, keep_output(std::move(output->payload)), known.output != nullptr,
                    lock);
  }
  auto& failure = output.error();
  if (running.stop.stop_requested()) {
    events.cancelled(duration_ms, {.reason = "the run ends", .run_timed_out = run_timed_out_},
                     failure);
    report({.kind = NodeUpdate::Kind::kCancelled, .node_id = step.id, .duration_ms = duration_ms});
    end_wide(step);
    return decide([&](auto& commands) { scheduler_.cancelled(step.index, commands); });
  }
  fail(step, events, duration_ms, std::move(failure));
}

/// Records the output of an attempt that completed, or says why it has failed after all.
std::optional<tool::Failure> Execution::keep(const Step& step, NodeEvents& events,
                                             double duration_ms, const tool::Output& output,
                                             const KnownOutputs::Answer& known) {
  const auto text = json::to_text(output.payload);
  if (text.size() > tool::kMaxPayloadBytes) {
    return tool::Failure{.type = "OutputTooLarge",
                         .message = "node '" + step.id + "': its output has " +
                                    std::to_string(text.size()) + " bytes, the limit is " +
                                    std::to_string(tool::kMaxPayloadBytes),
                         .exit_code = {},
                         .usage = output.usage};
  }
  const auto kept = events.completed(duration_ms, output, text, output_store_);
  if (kept) {
    known_outputs_.keep(step, known, text, events);
    return {};
  }
  const std::lock_guard lock(mutex_);
  storage_error_ = kept.error();
  return tool::Failure{
      .type = "StorageError", .message = kept.error().message, .exit_code = {}, .usage = {}};
}

/// Of a node whose effects nobody wants twice.
std::optional<tool::Failure> Execution::reason_not_to_begin(const Step& step,
                                                            const Running& running) {
  const auto name = "node '" + step.id + "'";
  if (running.was_lost) {
    return tool::Failure{.type = "EffectsUnknown",
                         .message = name +
                                    ": the process that ran it ended before it did, so it may have "
                                    "had its effects, which are wanted once",
                         .exit_code = {},
                         .usage = {},
                         .retryable = false};
  }
  // Its start is on disk before it has any.
  const auto recorded = run_.flush();
  if (recorded || !stops_without_record(request_)) return {};
  return tool::Failure{.type = "StorageError",
                       .message = name + ": " + recorded.error().message,
                       .exit_code = {},
                       .usage = {}};
}

void Execution::end_wide(const Step& step) {
  if (request_.definition.wide_events.nodes) record::emit_node_wide(run_, *wide_of(step));
}

void Execution::report(const NodeUpdate& update) {
  if (!request_.on_update) return;
  const std::lock_guard lock(report_mutex_);
  request_.on_update(update);
}

void Execution::report_later(const NodeUpdate& update) {
  if (!request_.on_update) return;
  timers_.start({}, [this, kind = update.kind, id = std::string(update.node_id),
                     duration_ms = update.duration_ms, message = std::string(update.message)] {
    report({.kind = kind, .node_id = id, .duration_ms = duration_ms, .message = message});
  });
}

void Execution::complete(const Step& step, NodeEvents& events, OutputPointer output, bool was_known,
                         std::unique_lock<std::mutex>& lock) {
  end_wide(step);
  lock.lock();
  decide_at_once([&](auto& commands) {
    if (step.node.guard_retry) note_guard_completed(step, events);
    // What another run has done is not taken back.
    if (step.node.undo && !was_known) note_undo(step.index, output, run_.clock().now());
    note_completed(step.index, std::move(output), commands);
  });
}

/// Under mutex_. The successors start when the commands are carried out: after it.
void Execution::note_completed(StepIndex step, OutputPointer output,
                               pipeline::Scheduler::Commands& commands) {
  const auto node = scheduler_.node_of(step);
  const auto item = scheduler_.item_of(step);
  (item ? items_.at(node).outputs[*item] : outputs_[node]) = std::move(output);
  scheduler_.completed(step, commands);
  if (item && scheduler_.state(node) == State::kCompleted) keep_items(node);
}

/// An attempt, after which there may be another.
void Execution::fail(const Step& step, NodeEvents& events, double duration_ms,
                     tool::Failure failure) {
  cut_message(failure);
  const auto category = category_of(failure);
  auto* wide = request_.definition.wide_events.nodes ? wide_of(step) : nullptr;
  bool is_last = true;
  std::string message = failure.message;
  // Recorded in the order in which it is decided what follows from it.
  decide([&](auto& commands) {
    events.failed(duration_ms, failure);
    const bool is_retried = scheduler_.will_retry(step.index, category);
    if (is_judged(step.index, category) && judge(step, events, commands)) {
      is_last = false;
      message += " ('" + step.node.guard_retry->retry_node + "' runs again)";
      return;
    }
    is_last = !is_retried;
    note_failed(step.index, category, std::move(failure), commands);
    if (is_last) {
      if (wide != nullptr) record::emit_node_wide(run_, *wide);
    } else {
      events.retry_scheduled(retry_reason(category), commands.back().delay);
      note_said_again(step.id);
      message += " (it is tried again in " +
                 text::duration(static_cast<double>(commands.back().delay.count())) + ")";
    }
  });
  report({.kind = is_last ? NodeUpdate::Kind::kFailed : NodeUpdate::Kind::kRetried,
          .node_id = step.id,
          .duration_ms = duration_ms,
          .message = message});
}

/// Under mutex_.
void Execution::note_failed(StepIndex step, pipeline::ErrorCategory category, tool::Failure failure,
                            pipeline::Scheduler::Commands& commands) {
  scheduler_.failed(step, category, commands);
  if (scheduler_.first_failed() != step) return;
  failed_step_ = step;
  failure_ = std::move(failure);
}

void Execution::cancel() {
  decide([this](auto& commands) { scheduler_.stop(pipeline::RunOutcome::kCancelled, commands); });
}

/// Under mutex_.
void Execution::stop_late(pipeline::Scheduler::Commands& commands) {
  const auto limit = request_.definition.timeout.value_or(std::chrono::milliseconds(0));
  if (!failed_step_) failure_ = timeout_failure("the run", limit);
  run_timed_out_ = true;
  scheduler_.stop(pipeline::RunOutcome::kFailed, commands);
}

/// It may take so long; of one that was taken up, what it took before is no more to be had.
void Execution::limit_time() {
  const auto limit = request_.definition.timeout;
  if (!limit) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*limit - ran_before_);
  if (left.count() <= 0) return end_late();
  timers_.start(left, [this] { end_late(); });
}

/// The run's time is over.
void Execution::end_late() {
  decide([this](auto& commands) {
    if (scheduler_.is_stopping() || scheduler_.is_finished()) return;
    stop_late(commands);
  });
}

}  // namespace weir::engine
