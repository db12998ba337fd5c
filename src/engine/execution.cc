#include "engine/execution.h"

#include <pthread.h>

#include <atomic>
#include <system_error>

#include "base/text.h"
#include "base/utf8.h"
#include "engine/failures.h"
#include "engine/wide_events.h"

namespace weir::engine {

using pipeline::Command;
using pipeline::NodeIndex;
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
    if (!is_tried_again && !node.when) continue;
    rules.resize(definition.nodes.size());
    rules[i] = {.retry = is_tried_again ? &*node.retry : nullptr,
                .needs_preparation = node.when.has_value()};
  }
  return rules;
}

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
      stops_(graph_.size(), std::stop_source(std::nostopstate)),
      outputs_(graph_.size()),
      calls_(request, tools, run, place, graph_, outputs_) {
  for (std::size_t step = 0; step < graph_.order.size(); ++step) {
    const auto node = graph_.order[step];
    step_index_[node] = static_cast<std::int64_t>(step);
    for (const auto predecessor : graph_.predecessors[node]) {
      predecessor_ids_[node].push_back(request.definition.nodes[predecessor].id.text);
    }
  }
}

Result<void> Execution::run() {
  if (taken_up_) {
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
      if (stops_without_record(request_)) cancel();
    });
    work();
  }
  for (auto& worker : workers_) worker.join();
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
    const auto node = ready_.front();
    ready_.pop_front();
    const bool is_preparing = scheduler_.state(node) == State::kPreparing;
    const auto stop = stops_[node];
    const int attempt = scheduler_.attempts(node);
    if (scheduler_.is_stopping()) {  // it was ready and never started: nothing is said of it
      scheduler_.cancelled(node, commands_);
      carry_out();
      continue;
    }
    lock.unlock();
    if (is_preparing) {
      prepare(node);
    } else {
      run_node(node, attempt, stop);
    }
    lock.lock();
  }
}

NodeEvents Execution::events_of(NodeIndex index, int attempt) {
  return {run_,
          request_.definition.nodes[index],
          step_index_[index],
          attempt,
          place_,
          wide_nodes_.empty() ? nullptr : &wide_nodes_[index]};
}

/// Whether it is to run at all.
void Execution::prepare(NodeIndex index) {
  const auto& node = request_.definition.nodes[index];
  const auto wanted = calls_.is_wanted(node, calls_.input_of(index));
  if (!wanted) {
    auto events = events_of(index, 1);
    events.started(predecessor_ids_[index]);
    return fail(index, events, 0, wanted.error());
  }
  if (*wanted) return decide([&](auto& commands) { scheduler_.prepared(index, {}, commands); });
  events_of(index, 1).skipped("'when' is false: " + node.when->text());
  report({.kind = NodeUpdate::Kind::kSkipped, .node = node, .message = "'when' is false"});
  decide([&](auto& commands) { scheduler_.skip(index, commands); });
}

void Execution::run_node(NodeIndex index, int attempt, const std::stop_source& stop) {
  const auto& node = request_.definition.nodes[index];
  const auto& clock = run_.clock();
  const auto start = clock.monotonic();
  auto events = events_of(index, attempt);
  events.started(predecessor_ids_[index]);
  report({.kind = NodeUpdate::Kind::kStarted, .node = node});
  if (node.effects_once) {
    if (auto refusal = reason_not_to_begin(index))
      return fail(index, events, 0, *std::move(refusal));
  }

  std::atomic<bool> timed_out = false;
  std::optional<Timers::Id> timer;
  if (node.timeout) {
    timer = timers_.start(*node.timeout, [&timed_out, stop]() mutable {
      timed_out = true;
      stop.request_stop();
    });
  }
  auto output = calls_.call(node, calls_.input_of(index), stop.get_token(), events);
  if (timer) timers_.cancel(*timer);
  const auto text = output ? json::to_text(output->payload) : std::string();
  if (text.size() > tool::kMaxPayloadBytes) {
    output = std::unexpected(tool::Failure{
        .type = "OutputTooLarge",
        .message = "node '" + node.id.text + "': its output has " + std::to_string(text.size()) +
                   " bytes, the limit is " + std::to_string(tool::kMaxPayloadBytes),
        .exit_code = {},
        .usage = output->usage});
  }
  const auto duration_ms = milliseconds_since(clock, start);
  if (output) {
    const auto kept = events.completed(duration_ms, *output, text, output_store_);
    if (kept) {
      report({.kind = NodeUpdate::Kind::kCompleted, .node = node, .duration_ms = duration_ms});
      return complete(index, std::make_shared<const json::Object>(std::move(output->payload)));
    }
    const std::lock_guard lock(mutex_);
    storage_error_ = kept.error();
    output = std::unexpected(tool::Failure{
        .type = "StorageError", .message = kept.error().message, .exit_code = {}, .usage = {}});
  }
  auto& failure = output.error();
  if (timed_out && node.timeout) {
    auto timeout = timeout_failure("node '" + node.id.text + "'", *node.timeout);
    timeout.exit_code = failure.exit_code;
    timeout.usage = failure.usage;
    failure = std::move(timeout);
  } else if (stop.stop_requested()) {
    events.cancelled(duration_ms, "the run ends", failure);
    report({.kind = NodeUpdate::Kind::kCancelled, .node = node, .duration_ms = duration_ms});
    if (request_.definition.wide_events.nodes) emit_node_wide(run_, wide_nodes_[index]);
    return decide([&](auto& commands) { scheduler_.cancelled(index, commands); });
  }
  fail(index, events, duration_ms, std::move(failure));
}

/// Of a node whose effects nobody wants twice.
std::optional<tool::Failure> Execution::reason_not_to_begin(NodeIndex index) {
  const auto name = "node '" + request_.definition.nodes[index].id.text + "'";
  if (taken_up_ && taken_up_->unended.contains(index)) {
    return tool::Failure{.type = "EffectsUnknown",
                         .message = name +
                                    ": the process that ran it ended before it did, so it may have "
                                    "had its effects, which are wanted once",
                         .exit_code = {},
                         .usage = {},
                         .retryable = false};
  }
  // Its start is on disk before it has any.
  auto recorded = run_.flush();
  if (recorded || !stops_without_record(request_)) return {};
  return tool::Failure{.type = "StorageError",
                       .message = name + ": " + recorded.error().message,
                       .exit_code = {},
                       .usage = {}};
}

void Execution::report(const NodeUpdate& update) {
  if (!request_.on_update) return;
  const std::lock_guard lock(report_mutex_);
  request_.on_update(update);
}

void Execution::complete(NodeIndex node, OutputPointer output) {
  if (request_.definition.wide_events.nodes) emit_node_wide(run_, wide_nodes_[node]);
  decide([&](auto& commands) {
    outputs_[node] = std::move(output);
    ++completed_;
    scheduler_.completed(node, commands);
  });
}

/// An attempt, after which there may be another.
void Execution::fail(NodeIndex node, NodeEvents& events, double duration_ms,
                     tool::Failure failure) {
  failure.message.resize(utf8::cut(failure.message, kMaxMessage).size());
  const auto category = category_of(failure);
  events.failed(duration_ms, failure);
  bool is_last = true;
  std::string message = failure.message;
  decide([&](auto& commands) {
    scheduler_.failed(node, category, commands);
    is_last = scheduler_.state(node) != State::kWaiting;
    if (is_last) {
      if (request_.definition.wide_events.nodes) emit_node_wide(run_, wide_nodes_[node]);
      if (failed_++ == 0) failure_ = std::move(failure);
    } else {
      events.retry_scheduled(retry_reason(category), commands.back().delay);
      message += " (it is tried again in " +
                 text::duration(static_cast<double>(commands.back().delay.count())) + ")";
    }
  });
  report({.kind = is_last ? NodeUpdate::Kind::kFailed : NodeUpdate::Kind::kRetried,
          .node = request_.definition.nodes[node],
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
        ready_.push_back(command.step);
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
        events_of(command.step, 1).skipped(kAncestorFailed);
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
