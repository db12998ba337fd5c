#include "engine/execution.h"

#include <pthread.h>

#include <system_error>

#include "base/text.h"
#include "base/utf8.h"
#include "engine/failures.h"
#include "engine/wide_events.h"

namespace weir::engine {

using pipeline::Command;
using pipeline::NodeIndex;
using pipeline::StepIndex;
using State = pipeline::Scheduler::State;

/// Longer messages are cut: what a tool has to say at length are its log lines.
constexpr std::size_t kMaxMessage = std::size_t{64} << 10;

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
    if (!is_tried_again && !node.when && !node.for_each) continue;
    rules.resize(definition.nodes.size());
    rules[i] = {.retry = is_tried_again ? &*node.retry : nullptr,
                .needs_preparation = node.when.has_value() || node.for_each.has_value()};
  }
  return rules;
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
      wide_nodes_(is_wide(request.definition) ? graph_.size() : 0),
      scheduler_(graph_, rules_of(request.definition), request.definition.on_failure,
                 seed_of(request, run)),
      stops_(graph_.size(), std::stop_source(std::nostopstate)),
      outputs_(graph_.size()),
      streams_(request.definition, graph_, run),
      calls_(request, tools, run, place, graph_, outputs_, timers_, children),
      known_outputs_(request, output_store_.artifacts, run, place, graph_, calls_) {
  for (std::size_t step = 0; step < graph_.order.size(); ++step) {
    step_index_[graph_.order[step]] = static_cast<std::int64_t>(step);
  }
}

std::vector<std::string> Execution::predecessor_ids(NodeIndex node) const {
  std::vector<std::string> ids;
  ids.reserve(graph_.predecessors[node].size());
  for (const auto predecessor : graph_.predecessors[node]) {
    ids.push_back(request_.definition.nodes[predecessor].id.text);
  }
  return ids;
}

json::Object Execution::result() const {
  std::vector<OutputPointer> chosen;
  chosen.reserve(request_.definition.output_nodes.size());
  for (const auto& id : request_.definition.output_nodes) {
    if (const auto node = graph_.ids.find(id.text)) chosen.push_back(outputs_[*node]);
  }
  return merge(request_.payload, chosen);
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

std::vector<project::NodeWide> Execution::wide_nodes() {
  auto all = std::move(wide_nodes_);
  for (auto& [node, items] : items_) {
    std::move(items.wide.begin(), items.wide.end(), std::back_inserter(all));
  }
  return all;
}

Result<void> Execution::run() {
  if (is_taken_up_) {
    go_on();
  } else {
    decide([this](auto& commands) { scheduler_.start(commands); });
  }
  if (const auto limit = request_.definition.timeout) {
    timers_.start(*limit, [this] { end_late(); });
  }
  {
    const std::stop_callback on_stop(request_.stop, [this] { cancel(); });
    const std::stop_callback on_lost(run_.lost(), [this] {
      // Not from the writer's thread: whoever has the mutex may be waiting for the writer.
      if (stops_without_record(request_)) timers_.start({}, [this] { cancel(); });
    });
    work();
  }
  for (auto& worker : workers_) worker.join();
  children_.end_lost();
  if (storage_error_) return std::unexpected(*storage_error_);
  return {};
}

void Execution::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (ready_.empty() && !finished_) {
      ++idle_;
      changed_.wait(lock, [this] { return finished_ || !ready_.empty(); });
      --idle_;
    }
    if (finished_) return;
    const auto step = step_of(ready_.front());
    ready_.pop_front();
    if (graph_.has_stream(step.node_index)) {
      run_group(graph_.leader_of(step.node_index), lock);
      continue;
    }
    const bool is_preparing = scheduler_.state(step.index) == State::kPreparing;
    const auto stop = stops_[step.index];
    const int attempt = scheduler_.attempts(step.index);
    if (scheduler_.is_stopping()) {  // it was ready and never started: nothing is said of it
      scheduler_.cancelled(step.index, commands_);
      carry_out();
      continue;
    }
    lock.unlock();
    if (is_preparing) {
      prepare(step);
    } else if (const auto slot = children_.slot_for(step.node, stop.get_token()); slot.may_run) {
      run_step(step, attempt, stop);
    } else {  // not wanted any more before it was started: nothing is said of it
      decide([&](auto& commands) { scheduler_.cancelled(step.index, commands); });
    }
    lock.lock();
  }
}

NodeEvents Execution::events_of(const Step& step, int attempt, project::NodeWide* wide) {
  return {run_, step.node, step.id, step_index_[step.node_index], attempt, place_, wide};
}

/// Whether it is to run at all, and how often.
void Execution::prepare(const Step& step) {
  const auto index = step.node_index;
  auto plan = calls_.plan(index);
  if (!plan) {
    auto events = events_of(step, 1, wide_of(step));
    events.started(predecessor_ids(index));
    return fail(step, events, 0, plan.error());
  }
  const auto skipped = skipped_because(index, *plan);
  if (!skipped.empty()) {
    events_of(step, 1, wide_of(step)).skipped(skipped);
    report({.kind = NodeUpdate::Kind::kSkipped, .node_id = step.id, .message = skipped});
  }
  decide([&](auto& commands) { carry_out_plan(index, *plan, commands); });
}

/// Empty: it is not.
std::string Execution::skipped_because(NodeIndex index, const NodeCalls::Plan& plan) const {
  const auto& node = request_.definition.nodes[index];
  if (!plan.is_wanted) return "'when' is false: " + node.when->text();
  if (plan.items && plan.items->empty()) return "'for_each' has no items";
  return {};
}

/// Under mutex_.
void Execution::carry_out_plan(NodeIndex index, const NodeCalls::Plan& plan,
                               pipeline::Scheduler::Commands& commands) {
  if (!plan.is_wanted) return scheduler_.skip(index, commands);
  if (!plan.items) {
    scheduler_.prepared(index, {}, commands);
    return;
  }
  auto& items = items_[index];
  const auto count = plan.items->size();
  items.list = plan.items;
  items.outputs.resize(count);
  if (!wide_nodes_.empty()) items.wide.resize(count);
  if (count == 0) keep_items(index);  // before its successors are started
  items.first = scheduler_.prepared(index, static_cast<std::uint32_t>(count), commands);
  stops_.resize(scheduler_.steps(), std::stop_source(std::nostopstate));
}

/// Under mutex_: all items of the node have completed.
void Execution::keep_items(NodeIndex index) {
  json::Array list;
  list.reserve(items_[index].outputs.size());
  for (const auto& output : items_[index].outputs) {
    list.push_back(output ? json::Value(*output) : json::Value());
  }
  json::Object all;
  all.set(request_.definition.nodes[index].id.text, std::move(list));
  outputs_[index] = std::make_shared<const json::Object>(std::move(all));
}

/// Under mutex_.
Step Execution::step_of(StepIndex index) const {
  const auto node = scheduler_.node_of(index);
  Step step{.index = index,
            .node_index = node,
            .node = request_.definition.nodes[node],
            .id = request_.definition.nodes[node].id.text};
  if (const auto item = scheduler_.item_of(index)) {
    step.id += "[" + std::to_string(*item) + "]";
    step.item = &(*items_.at(node).list)[*item];
  }
  return step;
}

project::NodeWide* Execution::wide_of(const Step& step) {
  if (wide_nodes_.empty()) return nullptr;
  if (step.item == nullptr) return &wide_nodes_[step.node_index];
  const std::lock_guard lock(mutex_);
  auto& items = items_.at(step.node_index);
  return &items.wide[step.index - items.first];
}

void Execution::run_step(const Step& step, int attempt, const std::stop_source& stop) {
  const auto& clock = run_.clock();
  const auto start = clock.monotonic();
  auto events = events_of(step, attempt, wide_of(step));
  events.started(predecessor_ids(step.node_index));
  report({.kind = NodeUpdate::Kind::kStarted, .node_id = step.id});
  const auto known = known_outputs_.ask(step, attempt, events);
  if (!known.output && step.node.effects_once) {
    if (auto refusal = reason_not_to_begin(step)) return fail(step, events, 0, *std::move(refusal));
  }

  auto output = known.output ? tool::Output{.payload = *known.output, .usage = {}}
                             : calls_.call(step, attempt, stop.get_token(), events,
                                           streams_.ends_of(step.node_index));
  const auto duration_ms = milliseconds_since(clock, start);
  if (output) streams_.complete(step.node_index);
  if (output) output = keep(step, events, duration_ms, *std::move(output), known);
  if (output) {
    report({.kind = NodeUpdate::Kind::kCompleted,
            .node_id = step.id,
            .duration_ms = duration_ms,
            .message = known.output ? "cached" : ""});
    return complete(step, std::make_shared<const json::Object>(std::move(output->payload)));
  }
  auto& failure = output.error();
  if (stop.stop_requested()) {
    events.cancelled(duration_ms, "the run ends", failure);
    report({.kind = NodeUpdate::Kind::kCancelled, .node_id = step.id, .duration_ms = duration_ms});
    end_wide(step);
    return decide([&](auto& commands) { scheduler_.cancelled(step.index, commands); });
  }
  fail(step, events, duration_ms, std::move(failure));
}

/// Records the output of an attempt that completed.
std::expected<tool::Output, tool::Failure> Execution::keep(const Step& step, NodeEvents& events,
                                                           double duration_ms, tool::Output output,
                                                           const KnownOutputs::Answer& known) {
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
  if (kept) {
    known_outputs_.keep(step, known, text, events);
    return output;
  }
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

void Execution::complete(const Step& step, OutputPointer output) {
  end_wide(step);
  decide([&](auto& commands) { note_completed(step.index, std::move(output), commands); });
}

/// Under mutex_. The successors start when the commands are carried out: after it.
void Execution::note_completed(StepIndex step, OutputPointer output,
                               pipeline::Scheduler::Commands& commands) {
  const auto node = scheduler_.node_of(step);
  ++completed_;
  const auto item = scheduler_.item_of(step);
  (item ? items_.at(node).outputs[*item] : outputs_[node]) = std::move(output);
  stops_[step] = std::stop_source(std::nostopstate);  // a run may have a million of them
  scheduler_.completed(step, commands);
  if (item && scheduler_.state(node) == State::kCompleted) keep_items(node);
}

/// An attempt, after which there may be another.
void Execution::fail(const Step& step, NodeEvents& events, double duration_ms,
                     tool::Failure failure) {
  failure.message.resize(utf8::cut(failure.message, kMaxMessage).size());
  const auto category = category_of(failure);
  events.failed(duration_ms, failure);
  auto* wide = request_.definition.wide_events.nodes ? wide_of(step) : nullptr;
  bool is_last = true;
  std::string message = failure.message;
  decide([&](auto& commands) {
    scheduler_.failed(step.index, category, commands);
    is_last = scheduler_.state(step.index) != State::kWaiting;
    if (is_last) {
      if (wide != nullptr) emit_node_wide(run_, *wide);
      if (failed_++ == 0) failure_ = std::move(failure);
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

void Execution::cancel() {
  decide([this](auto& commands) { scheduler_.stop(pipeline::RunOutcome::kCancelled, commands); });
}

/// The run's time is over.
void Execution::end_late() {
  decide([this](auto& commands) {
    if (scheduler_.is_stopping() || scheduler_.is_finished()) return;
    if (failed_ == 0) failure_ = timeout_failure("the run", *request_.definition.timeout);
    scheduler_.stop(pipeline::RunOutcome::kFailed, commands);
  });
}

/// Under mutex_. What a command leads to at once becomes a command too.
void Execution::carry_out() {
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    const auto command = commands_[i];
    switch (command.kind) {
      case Command::Kind::kStart:
        stops_[command.step] = std::stop_source();
        make_ready(command.step);
        break;
      case Command::Kind::kPrepare:
        ready_.push_back(command.step);
        break;
      case Command::Kind::kRetry:
        timers_.start(command.delay, [this, step = command.step] {
          decide([&](auto& commands) { scheduler_.retry_due(step, commands); });
        });
        break;
      case Command::Kind::kSkip:
        events_of(step_of(command.step), 1).skipped(kAncestorFailed);
        break;
      case Command::Kind::kCancel:
        if (scheduler_.state(command.step) == State::kRunning) {
          stops_[command.step].request_stop();
        } else {  // it waits: nothing more is said of it
          scheduler_.cancelled(command.step, commands_);
        }
        break;
      case Command::Kind::kAsk:  // no pipeline that asks is run yet
        break;
      case Command::Kind::kFinishRun:
        finished_ = true;
        break;
    }
  }
  commands_.clear();
  if (finished_) return changed_.notify_all();
  // One node is for the calling thread if it works; the others are for whoever waits, or for a new
  // worker.
  if (!ready_.empty() && idle_ > 0) changed_.notify_all();
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
