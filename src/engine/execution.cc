#include "engine/execution.h"

#include <pthread.h>

#include <system_error>

#include "base/utf8.h"
#include "engine/wide_events.h"
#include "pipeline/settings.h"
#include "record/context_carrier.h"

namespace weir::engine {

using pipeline::Command;
using pipeline::NodeIndex;

/// Longer messages are cut: what a tool has to say at length are its log lines.
constexpr std::size_t kMaxMessage = std::size_t{64} << 10;

namespace {

bool is_wide(const pipeline::Definition& definition) {
  return definition.wide_events.nodes || definition.wide_events.run;
}

}  // namespace

Execution::Execution(const RunRequest& request, const tool::Registry& tools,
                     const OutputStore& outputs, record::Run& run, const RunPlace& place)
    : request_(request),
      tools_(tools),
      output_store_(outputs),
      run_(run),
      place_(place),
      graph_(request.definition),
      step_index_(graph_.size()),
      predecessor_ids_(graph_.size()),
      wide_nodes_(is_wide(request.definition) ? graph_.size() : 0),
      scheduler_(graph_),
      stops_(graph_.size(), std::stop_source(std::nostopstate)),
      outputs_(graph_.size()) {
  for (NodeIndex node = 0; node < graph_.size(); ++node) {
    index_.emplace(request.definition.nodes[node].id.text, node);
  }
  for (std::size_t step = 0; step < graph_.order.size(); ++step) {
    const auto node = graph_.order[step];
    step_index_[node] = static_cast<std::int64_t>(step);
    for (const auto predecessor : graph_.predecessors[node]) {
      predecessor_ids_[node].push_back(request.definition.nodes[predecessor].id.text);
    }
  }
}

Result<void> Execution::run() {
  {
    const std::lock_guard lock(mutex_);
    scheduler_.start(commands_);
    carry_out(commands_);
    commands_.clear();
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
    const auto stop = stops_[node].get_token();
    if (stop.stop_requested()) {  // it was ready and never started: nothing is said of it
      scheduler_.node_cancelled(node, commands_);
      carry_out(commands_);
      commands_.clear();
      continue;
    }
    lock.unlock();
    run_node(node, stop);
    lock.lock();
  }
}

void Execution::run_node(NodeIndex index, const std::stop_token& stop) {
  const auto& node = request_.definition.nodes[index];
  const auto& clock = run_.clock();
  const auto start = clock.monotonic();
  NodeEvents events(run_, node, step_index_[index], place_,
                    wide_nodes_.empty() ? nullptr : &wide_nodes_[index]);
  events.started(predecessor_ids_[index]);
  report({.kind = NodeUpdate::Kind::kStarted, .node = node});

  auto output = call_tool(node, input_of(index), stop, events);
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
      return end_node(index, NodeEnd::kCompleted,
                      std::make_shared<const json::Object>(std::move(output->payload)), {});
    }
    const std::lock_guard lock(mutex_);
    storage_error_ = kept.error();
    output = std::unexpected(tool::Failure{
        .type = "StorageError", .message = kept.error().message, .exit_code = {}, .usage = {}});
  }
  auto& failure = output.error();
  failure.message.resize(utf8::cut(failure.message, kMaxMessage).size());
  if (stop.stop_requested()) {
    events.cancelled(duration_ms, "the run ends", failure);
    report({.kind = NodeUpdate::Kind::kCancelled, .node = node, .duration_ms = duration_ms});
    return end_node(index, NodeEnd::kCancelled, nullptr, {});
  }
  events.failed(duration_ms, failure);
  report({.kind = NodeUpdate::Kind::kFailed,
          .node = node,
          .duration_ms = duration_ms,
          .message = failure.message});
  end_node(index, NodeEnd::kFailed, nullptr, std::move(failure));
}

std::expected<tool::Output, tool::Failure> Execution::call_tool(const pipeline::Node& node,
                                                                const json::Object& payload,
                                                                const std::stop_token& stop,
                                                                NodeEvents& events) const {
  auto* tool = tools_.find(node.plugin_id.text, node.tool_id.text);
  WEIR_CHECK(tool != nullptr);  // validated
  std::expected<json::Object, tool::Failure> resolved;
  if (node.has_references) {
    resolved = with_of(node, tool->spec(), payload);
    if (!resolved) return std::unexpected(std::move(resolved).error());
  }
  const auto run_id = run_.id().text();
  const auto context = std::make_shared<const record::TraceContext>(
      context_of_node(place_, events.span(), node.id.text));
  const tool::Call call{.run_id = run_id,
                        .node_id = node.id.text,
                        .payload = payload,
                        .with = node.has_references ? *resolved : node.with,
                        .folder = request_.folder,
                        .stop = stop,
                        .log = [&](const tool::LogLine& line) { events.log(line); },
                        .kept = [&](const tool::KeptArtifact& artifact) { events.kept(artifact); },
                        .environment = [&] { return environment_of(node, *context); }};
  const record::ContextScope scope(context);
  return tool::run_caught(*tool, call);
}

/// Reads outputs without the lock, as input_of: they are those of ancestors.
std::expected<json::Object, tool::Failure> Execution::with_of(const pipeline::Node& node,
                                                              const tool::ToolSpec& spec,
                                                              const json::Object& payload) const {
  auto with = pipeline::resolve(json::Value(node.with),
                                {.params = &request_.params,
                                 .input = &payload,
                                 .node_output =
                                     [this](std::string_view id) {
                                       const auto found = index_.find(id);
                                       return found == index_.end() ? nullptr
                                                                    : outputs_[found->second].get();
                                     },
                                 .secret = request_.secret});
  auto settings = with ? pipeline::settings_for(spec, std::move(*with->object()))
                       : std::unexpected(with.error());
  if (settings) return *std::move(settings);
  return std::unexpected(
      tool::Failure{.type = "UnresolvedReference",
                    .message = "'with' of node '" + node.id.text + "': " + settings.error().message,
                    .exit_code = {},
                    .usage = {}});
}

tool::Environment Execution::environment_of(const pipeline::Node& node,
                                            const record::TraceContext& context) const {
  const auto variables = record::to_environment(context);
  tool::Environment environment(variables.begin(), variables.end());
  environment.emplace_back("WEIR_NODE_ID", node.id.text);
  environment.emplace_back("WEIR_STORE", place_.store.string());
  return environment;
}

/// Reads outputs without the lock: they were written before this node became ready, and stay.
json::Object Execution::input_of(NodeIndex node) const {
  std::vector<OutputPointer> outputs;
  outputs.reserve(graph_.predecessors[node].size());
  for (const auto predecessor : graph_.predecessors[node]) outputs.push_back(outputs_[predecessor]);
  return merge(request_.payload, outputs);
}

void Execution::report(NodeUpdate update) {
  if (!request_.on_update) return;
  const std::lock_guard lock(report_mutex_);
  request_.on_update(update);
}

void Execution::end_node(NodeIndex node, NodeEnd end, OutputPointer output, tool::Failure failure) {
  if (request_.definition.wide_events.nodes) emit_node_wide(run_, wide_nodes_[node]);
  const std::lock_guard lock(mutex_);
  switch (end) {
    case NodeEnd::kCompleted:
      outputs_[node] = std::move(output);
      ++completed_;
      scheduler_.node_completed(node, commands_);
      break;
    case NodeEnd::kFailed:
      if (failed_++ == 0) failure_ = std::move(failure);
      scheduler_.node_failed(node, commands_);
      break;
    case NodeEnd::kCancelled:
      scheduler_.node_cancelled(node, commands_);
      break;
  }
  carry_out(commands_);
  commands_.clear();
}

void Execution::cancel() {
  const std::lock_guard lock(mutex_);
  std::vector<Command> commands;
  scheduler_.cancel(commands);
  carry_out(commands);
}

void Execution::carry_out(const std::vector<Command>& commands) {
  for (const auto& command : commands) {
    switch (command.kind) {
      case Command::Kind::kStartNode:
        stops_[command.node] = std::stop_source();
        ready_.push_back(command.node);
        break;
      case Command::Kind::kCancelNode:
        stops_[command.node].request_stop();
        break;
      case Command::Kind::kFinishRun:
        finished_ = true;
        break;
    }
  }
  if (finished_) return changed_.notify_all();
  // One node is for the calling thread; the others are for whoever waits, or for a new worker.
  if (ready_.size() > 1 && idle_ > 0) changed_.notify_all();
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
