#include "engine/execution.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <system_error>

#include "base/text.h"
#include "engine/failures.h"
#include "engine/pool_events.h"
#include "engine/wide_events.h"

namespace weir::engine {

using pipeline::Command;
using pipeline::NodeIndex;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

namespace {

bool is_wide(const pipeline::Definition& definition) {
  return definition.wide_events.nodes || definition.wide_events.run;
}

/// Empty when no node has any.
std::vector<pipeline::StepRules> rules_of(const pipeline::Definition& definition) {
  std::vector<pipeline::StepRules> rules;
  for (std::size_t i = 0; i < definition.nodes.size(); ++i) {
    const auto& node = definition.nodes[i];
    const bool is_tried_again = node.retry && !node.effects_once;
    if (!is_tried_again && !node.when && !node.for_each && !node.approval) continue;
    rules.resize(definition.nodes.size());
    rules[i] = {.retry = is_tried_again ? &*node.retry : nullptr,
                .needs_preparation = node.when.has_value() || node.for_each.has_value(),
                .needs_approval = node.approval.has_value()};
  }
  return rules;
}

const SignalPolicy& policy_of(const RunRequest& request) {
  static const SignalPolicy kEverybody;
  return request.signal_policy != nullptr ? *request.signal_policy : kEverybody;
}

/// What others ask of the run, for as long as it lives.
class Subscription {
 public:
  Subscription(SignalFeed* feed, const RunId& run, SignalFeed::Handler handler)
      : feed_(feed), run_(run) {
    if (feed_ != nullptr) feed_->subscribe(run_, std::move(handler));
  }
  ~Subscription() {
    if (feed_ != nullptr) feed_->unsubscribe(run_);
  }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

 private:
  SignalFeed* feed_;
  RunId run_;
};

std::uint64_t seed_of(const RunRequest& request, const record::Run& run) {
  if (request.definition.seed) return static_cast<std::uint64_t>(*request.definition.seed);
  return std::hash<std::string>()(run.id().text());
}

}  // namespace

Execution::Execution(const RunRequest& request, const tool::Registry& tools,
                     const OutputStore& outputs, record::Run& run, const RunPlace& place)
    : request_(request),
      output_store_(outputs),
      run_(run),
      place_(place),
      graph_(request.definition),
      step_index_(graph_.size()),
      predecessor_ids_(graph_.size()),
      wide_nodes_(is_wide(request.definition) ? graph_.size() : 0),
      scheduler_(graph_, rules_of(request.definition), request.definition.on_failure,
                 seed_of(request, run)),
      ready_(request.definition, [&run](const WorkerPool& pool) { record_pool(run, pool); }),
      stops_(graph_.size(), std::stop_source(std::nostopstate)),
      outputs_(graph_.size()),
      calls_(request, tools, run, place, graph_, outputs_),
      params_{request.params},
      signals_(*this, policy_of(request)),
      has_guards_(std::ranges::any_of(request.definition.nodes, [](const auto& node) {
        return node.guard_retry.has_value();
      })) {
  for (std::size_t step = 0; step < graph_.order.size(); ++step) {
    const auto node = graph_.order[step];
    step_index_[node] = static_cast<std::int64_t>(step);
    for (const auto predecessor : graph_.predecessors[node]) {
      predecessor_ids_[node].push_back(request.definition.nodes[predecessor].id.text);
    }
  }
}

std::optional<Execution::Standing> Execution::standing(std::string_view node_id) {
  const std::lock_guard lock(mutex_);
  const auto step = known_step(node_id);
  if (!step) return {};
  const auto state = scheduler_.state(*step);
  return Standing{.state = state, .has_begun = state == State::kRunning && !is_queued(*step)};
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
  auto all = std::move(wide_nodes_);
  for (auto& [node, items] : items_) {
    std::move(items.wide.begin(), items.wide.end(), std::back_inserter(all));
  }
  return all;
}

Result<void> Execution::run(std::function<void()> end_at_once) {
  end_at_once_ = std::move(end_at_once);
  const Subscription subscription(request_.signals, run_.id(), [this](SignalRequest request) {
    signals_.ask(std::move(request));
  });
  for (const auto& pool : ready_.pools()) record_pool(run_, pool);
  if (is_taken_up_) {
    go_on();
  } else {
    decide([this](auto& commands) { scheduler_.start(commands); });
  }
  if (const auto limit = request_.definition.timeout) {
    timers_.start(*limit, [this] { end_late(); });
  }
  {
    signals_.open();
    const std::stop_callback on_stop(request_.stop, [this] { cancel(); });
    const std::stop_callback on_lost(run_.lost(), [this] {
      // Not from the writer's thread: whoever has the mutex may be waiting for the writer.
      if (stops_without_record(request_)) timers_.start({}, [this] { cancel(); });
    });
    work();
  }
  for (auto& worker : workers_) worker.join();
  if (!is_ended_at_once_) undo_completed();
  if (storage_error_) return std::unexpected(*storage_error_);
  return {};
}

void Execution::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!ready_.can_take() && !finished_) {
      ++idle_;
      changed_.wait(lock, [this] { return finished_ || ready_.can_take(); });
      --idle_;
    }
    if (finished_) return;
    const auto taken = ready_.take();
    const auto step = step_of(taken.step);
    const bool is_preparing = scheduler_.state(step.index) == State::kPreparing;
    const auto stop = stops_[step.index];
    // It was ready and does not start: nothing is said of it.
    if (scheduler_.is_stopping() || scheduler_.is_unwanted(step.index)) {
      scheduler_.cancelled(step.index, commands_);
      carry_out();
      ready_.done(taken);
      continue;
    }
    Running running{.step = step.index,
                    .attempt = scheduler_.attempts(step.index),
                    .span = SpanId::make(),
                    .started_at = run_.clock().monotonic()};
    running_.push_back(&running);
    auto events = events_of(step, running.attempt, wide_at(step), running.span);
    if (!is_preparing) events.started(predecessor_ids_[step.node_index]);
    lock.unlock();
    if (is_preparing) {
      prepare(step, running);
    } else {
      run_step(step, running, stop, events);
    }
    lock.lock();
    std::erase(running_, &running);
    ready_.done(taken);
    if (taken.pool >= 0) wake_workers();
  }
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
  return found == retargeted_.rend() ? request_.definition.nodes[index] : found->second;
}

/// Under mutex_. Whether its start was commanded and has not happened.
bool Execution::is_queued(StepIndex step) const {
  return scheduler_.state(step) == State::kRunning && !taken_up_.unended.contains(step) &&
         std::none_of(running_.begin(), running_.end(),
                      [&](const auto* running) { return running->step == step; });
}

/// Under mutex_. Whoever waits in the queue goes back to the scheduler.
void Execution::withdraw(StepIndex step) {
  if (!is_queued(step)) return;
  ready_.remove_if([&](StepIndex other) { return other == step; });
  scheduler_.put_back(step);
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

/// Its start was recorded when it was taken up: what is decided meanwhile stands behind it.
void Execution::run_step(const Step& step, Running& running, const std::stop_source& stop,
                         NodeEvents& events) {
  const auto& clock = run_.clock();
  report({.kind = NodeUpdate::Kind::kStarted, .node_id = step.id});
  if (step.node.effects_once) {
    if (auto refusal = reason_not_to_begin(step)) {
      if (running.ended.exchange(true)) return;
      return fail(step, events, 0, *std::move(refusal));
    }
  }

  auto [output, timed_out] = call_within_time(step, stop, events);
  if (running.ended.exchange(true)) return;  // the run was stopped at once
  const auto duration_ms = milliseconds_since(clock, running.started_at);
  if (output) output = keep(step, events, duration_ms, *std::move(output));
  if (output) {
    report({.kind = NodeUpdate::Kind::kCompleted, .node_id = step.id, .duration_ms = duration_ms});
    return complete(step, events, std::make_shared<const json::Object>(std::move(output->payload)));
  }
  auto& failure = output.error();
  if (stop.stop_requested() && !timed_out) {
    events.cancelled(duration_ms, {.reason = "the run ends", .run_timed_out = run_timed_out_},
                     failure);
    report({.kind = NodeUpdate::Kind::kCancelled, .node_id = step.id, .duration_ms = duration_ms});
    end_wide(step);
    return decide([&](auto& commands) { scheduler_.cancelled(step.index, commands); });
  }
  fail(step, events, duration_ms, std::move(failure));
}

/// Stops the tool when the time of an attempt is over.
Execution::Called Execution::call_within_time(const Step& step, const std::stop_source& stop,
                                              NodeEvents& events) {
  std::atomic<bool> timed_out = false;
  std::optional<Timers::Id> timer;
  if (step.node.timeout) {
    timer = timers_.start(*step.node.timeout, [&timed_out, stop] {
      timed_out = true;
      stop.request_stop();
    });
  }
  auto output = calls_.call(step, stop.get_token(), events);
  if (timer) timers_.cancel(*timer);
  if (output || !timed_out) return {.output = std::move(output)};
  const auto& failure = output.error();
  auto timeout = timeout_failure("node '" + step.id + "'", *step.node.timeout);
  timeout.exit_code = failure.exit_code;
  timeout.usage = failure.usage;
  return {.output = std::unexpected(std::move(timeout)), .timed_out = true};
}

/// Records the output of an attempt that completed.
std::expected<tool::Output, tool::Failure> Execution::keep(const Step& step, NodeEvents& events,
                                                           double duration_ms,
                                                           tool::Output output) {
  const auto text = json::to_text(output.payload);
  if (text.size() > tool::kMaxPayloadBytes) {
    return std::unexpected(tool::Failure{
        .type = "OutputTooLarge",
        .message = "node '" + step.id + "': its output has " + std::to_string(text.size()) +
                   " bytes, the limit is " + std::to_string(tool::kMaxPayloadBytes),
        .exit_code = {},
        .usage = output.usage});
  }
  const auto kept = events.completed(duration_ms, output, text, output_store_);
  if (kept) return output;
  const std::lock_guard lock(mutex_);
  storage_error_ = kept.error();
  return std::unexpected(tool::Failure{
      .type = "StorageError", .message = kept.error().message, .exit_code = {}, .usage = {}});
}

/// Of a node whose effects nobody wants twice.
std::optional<tool::Failure> Execution::reason_not_to_begin(const Step& step) {
  const auto name = "node '" + step.id + "'";
  if (taken_up_.unended.contains(step.index)) {
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
  if (request_.definition.wide_events.nodes) emit_node_wide(run_, *wide_of(step));
}

void Execution::report(const NodeUpdate& update) {
  if (!request_.on_update) return;
  const std::lock_guard lock(report_mutex_);
  request_.on_update(update);
}

void Execution::report_later(const NodeUpdate& update) {
  if (!request_.on_update) return;
  timers_.start({}, [this, kind = update.kind, id = std::string(update.node_id),
                     message = std::string(update.message)] {
    report({.kind = kind, .node_id = id, .message = message});
  });
}

void Execution::complete(const Step& step, NodeEvents& events, OutputPointer output) {
  end_wide(step);
  decide([&](auto& commands) {
    if (step.node.guard_retry) note_guard_completed(step, events);
    if (step.node.undo) note_undo(step.index, output, run_.clock().now());
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
      if (wide != nullptr) emit_node_wide(run_, *wide);
    } else {
      events.retry_scheduled(retry_reason(category), commands.back().delay);
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
  if (!failed_step_) failure_ = timeout_failure("the run", *request_.definition.timeout);
  run_timed_out_ = true;
  scheduler_.stop(pipeline::RunOutcome::kFailed, commands);
}

/// The run's time is over.
void Execution::end_late() {
  decide([this](auto& commands) {
    if (scheduler_.is_stopping() || scheduler_.is_finished()) return;
    stop_late(commands);
  });
}

/// Under mutex_. What a command leads to at once becomes a command too.
void Execution::carry_out() {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const auto command = commands_[i];
    switch (command.kind) {
      case Command::Kind::kStart:
        stops_[command.step] = std::stop_source();
        ready_.push(command.step, scheduler_.node_of(command.step));
        break;
      case Command::Kind::kPrepare:
        ready_.push(command.step);
        break;
      case Command::Kind::kRetry:
        timers_.start(command.delay, [this, step = command.step] {
          decide([&](auto& commands) { scheduler_.retry_due(step, commands); });
        });
        break;
      case Command::Kind::kSkip:
        events_of(step_of(command.step), 1).skipped(kAncestorFailed);
        break;
      case Command::Kind::kAgain:
        say_again(command.step);
        break;
      case Command::Kind::kCancel:
        if (scheduler_.state(command.step) == State::kRunning) {
          stops_[command.step].request_stop();
        } else {  // it waits: nothing more is said of it
          scheduler_.cancelled(command.step, commands_);
        }
        break;
      case Command::Kind::kAsk:
        signals_.ask_approval(command.step);
        break;
      case Command::Kind::kFinishRun:
        finished_ = true;
        if (is_ended_at_once_) timers_.start({}, end_at_once_);
        break;
    }
  }
  commands_.clear();
  if (finished_) return changed_.notify_all();
  if (scheduler_.is_stopping()) ready_.lift_limits();
  wake_workers();
}

void Execution::wake_workers() {
  // One node is for the calling thread if it works; the others are for whoever waits, or for a new
  // worker.
  if (idle_ > 0 && ready_.can_take()) changed_.notify_all();
  for (auto takers = static_cast<std::size_t>(idle_) + 1;
       takers < ready_.size() && static_cast<int>(workers_.size()) + 1 < request_.jobs; ++takers) {
    if (!add_worker()) return;
  }
}

/// False when the system gives no more threads: those there are take longer.
bool Execution::add_worker() {
  try {
    workers_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "weir-worker");
      work();
    });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

}  // namespace weir::engine
