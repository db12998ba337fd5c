#include "engine/child_runs.h"

#include <algorithm>

#include "engine/failures.h"
#include "engine/tool_gate.h"
#include "pipeline/params.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;
using pipeline::RunOutcome;

constexpr std::string_view kCancelledType = "ChildRunCancelled";

/// A failure that another try would meet again.
tool::Failure permanent(std::string type, std::string message) {
  return {.type = std::move(type),
          .message = std::move(message),
          .exit_code = {},
          .usage = {},
          .retryable = false};
}

tool::Failure not_recorded(const Error& error) {
  return {.type = "StorageError", .message = error.message, .exit_code = {}, .usage = {}};
}

/// Why the child can be neither begun nor gone on with.
tool::Failure failure_of(std::string_view type, const ChildCall& call, const Error& error) {
  tool::Failure failure{.type = std::string(type),
                        .message = "pipeline '" + call.node.pipeline + "' of node '" +
                                   std::string(call.node_id) + "': " + error.message,
                        .exit_code = {},
                        .usage = {}};
  failure.retryable = error.code == ErrorCode::kConflict || error.code == ErrorCode::kIo;
  return failure;
}

std::string texts(const std::vector<Problem>& problems) {
  std::string all;
  for (const auto& problem : problems) all += (all.empty() ? "" : "; ") + problem.message;
  return all;
}

/// How the child ended, if not well.
tool::Failure failure_of(const RunId& id, const ChildCall& call, const RunReport& report) {
  const auto run = "run " + id.text() + " of pipeline '" + call.node.pipeline + "'";
  if (report.outcome == RunOutcome::kCancelled) {
    return permanent(std::string(kCancelledType), run + " was cancelled");
  }
  const auto where =
      report.failed_node_id.empty() ? std::string() : " at node '" + report.failed_node_id + "'";
  auto failure =
      permanent("ChildRunFailed", run + " failed" + where + ": " + report.failure.message);
  failure.retryable = category_of(report.failure) != pipeline::ErrorCategory::kPermanent;
  return failure;
}

/// Of the child's part of the work that the request's key stands for.
std::string key_of(const RunRequest& request, std::string_view node_id) {
  if (request.idempotency_key.empty()) return {};
  return request.idempotency_key + "/" + std::string(node_id);
}

bool has_sub_pipelines(const pipeline::Definition& definition) {
  return std::ranges::any_of(definition.nodes,
                             [](const auto& node) { return !node.pipeline.empty(); });
}

}  // namespace

/// What `run_to_end` runs.
struct ChildRuns::What {
  RunId id;
  std::string_view node_id;
  const SubPipeline& pipeline;
  json::Object payload;
  json::Object params;
  OwnedRun* owned = nullptr;
};

ChildRuns::ChildRuns(Engine& engine, const RunRequest& request, record::Run& run, int depth,
                     const RunPlace& place)
    : engine_(engine),
      request_(request),
      run_(run),
      depth_(depth),
      tenant_id_(place.context.ids.tenant_id),
      modes_(modes_inside(request.definition, place)) {
  if (request.child != nullptr) {
    slots_ = &request.child->slots;
  } else if (has_sub_pipelines(request.definition)) {
    slots_ = &own_slots_.emplace(request.jobs);
  }
}

ChildRuns::Slot ChildRuns::slot_for(const pipeline::Node& node, const std::stop_token& stop) {
  if (slots_ == nullptr || !node.pipeline.empty()) return {};
  auto slot = slots_->take(stop);
  const bool may_run = slot.has_value();
  return {.held = std::move(slot), .may_run = may_run};
}

std::optional<RecordedChild> ChildRuns::take_lost_id(std::string_view node_id) {
  const std::lock_guard lock(mutex_);
  const auto found = lost_.find(node_id);
  if (found == lost_.end()) return {};
  const auto child = found->second;
  lost_.erase(found);
  return child;
}

std::expected<tool::Output, tool::Failure> ChildRuns::run(ChildCall call, NodeEvents& events) {
  if (depth_ >= kMaxRunDepth) {
    return std::unexpected(
        permanent("MaxDepthExceeded", "pipeline '" + call.node.pipeline + "' of node '" +
                                          std::string(call.node_id) + "' would be a run inside " +
                                          std::to_string(depth_ + 1) + " others, the limit is " +
                                          std::to_string(kMaxRunDepth)));
  }
  if (request_.sub_pipelines == nullptr) {
    return std::unexpected(failure_of("PipelineNotFound", call,
                                      {ErrorCode::kNotFound, "there is no registry of pipelines"}));
  }
  if (const auto lost = take_lost_id(call.node_id)) {
    if (auto outcome = go_on(*lost, call, events)) return *std::move(outcome);
  }
  const auto id = RunId::make(run_.clock().now());
  return begin(id, std::move(call), events);
}

/// With the run that a lost process had begun. Nothing when there is nothing to go on with: it was
/// cancelled, or never came to record that it began.
std::optional<ChildRuns::Outcome> ChildRuns::go_on(const RecordedChild& child,
                                                   const ChildCall& call, NodeEvents& events) {
  const auto& id = child.run_id;
  auto lost = request_.sub_pipelines->take(id, tenant_id_);
  if (!lost) return std::unexpected(failure_of("ChildRunNotTaken", call, lost.error()));
  const auto& recorded = lost->owned.recorded;
  const bool never_began = recorded.engine_attempt == 0;
  if (never_began || recorded.end == event::info(Type::kPipelineCancelled).name) {
    if (child.has_ended) return {};
    const std::string_view why =
        never_began ? "it had not begun when its process was lost" : "it was cancelled";
    events.child(Type::kChildFailed, {.run_id = id,
                                      .pipeline = call.node.pipeline,
                                      .error_type = kCancelledType,
                                      .error_message = why});
    return {};
  }
  if (!child.has_ended) {
    const std::lock_guard lock(mutex_);
    if (!is_stopped_) open_.emplace(id, call.node_id);
  }
  auto report = run_to_end({.id = id,
                            .node_id = call.node_id,
                            .pipeline = lost->pipeline,
                            .payload = std::move(lost->payload),
                            .params = std::move(lost->params),
                            .owned = &lost->owned},
                           call.stop);
  return conclude(id, call, std::move(report), events);
}

ChildRuns::Outcome ChildRuns::begin(const RunId& id, ChildCall call, NodeEvents& events) {
  const auto found = request_.sub_pipelines->find(call.node.pipeline);
  if (!found) {
    return std::unexpected(failure_of(
        found.error().code == ErrorCode::kNotFound ? "PipelineNotFound" : "InvalidPipeline", call,
        found.error()));
  }
  auto params = pipeline::bind((*found)->file.definition.params, call.with);
  if (!params) {
    return std::unexpected(
        failure_of("InvalidParams", call, {ErrorCode::kInvalidInput, texts(params.error())}));
  }
  if (auto failure = record_begin(id, call, events)) return std::unexpected(*std::move(failure));
  auto report = run_to_end({.id = id,
                            .node_id = call.node_id,
                            .pipeline = **found,
                            .payload = std::move(call.payload),
                            .params = *std::move(params)},
                           call.stop);
  return conclude(id, call, std::move(report), events);
}

/// Its id is on disk before anything of the child is: whoever takes up this run finds it.
std::optional<tool::Failure> ChildRuns::record_begin(const RunId& id, const ChildCall& call,
                                                     NodeEvents& events) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return permanent(std::string(kCancelledType), "the run around it was stopped");
    open_.emplace(id, call.node_id);
    events.child(Type::kChildSpawned,
                 {.run_id = id, .pipeline = call.node.pipeline, .depth = depth_ + 1});
  }
  const auto recorded = run_.flush();
  if (recorded || !stops_without_record(request_)) return {};
  return not_recorded(recorded.error());
}

Result<RunReport> ChildRuns::run_to_end(What what, const std::stop_token& stop) {
  auto& tracker = engine_.child_runs();
  const auto& file = what.pipeline.file;
  const ChildPlace place{
      .run_id = what.id, .depth = depth_ + 1, .slots = *slots_, .pauses = pauses_, .modes = modes_};
  tracker.add(
      run_.id(),
      {.run_id = what.id, .node_id = std::string(what.node_id), .pipeline_id = file.definition.id});
  auto report = [&]() -> Result<RunReport> {
    try {
      return engine_.run({.definition = file.definition,
                          .definition_text = file.text,
                          .folder = what.pipeline.path.parent_path(),
                          .file = what.pipeline.path,
                          .payload = std::move(what.payload),
                          .params = std::move(what.params),
                          .secret = request_.secret,
                          .owned = what.owned,
                          .signals = request_.signals,
                          .signal_policy = request_.signal_policy,
                          .pause_drain_timeout = request_.pause_drain_timeout,
                          .jobs = request_.jobs,
                          .looks_into_cache = request_.looks_into_cache,
                          .durability = request_.durability,
                          .on_log_failure = request_.on_log_failure,
                          .loggers = request_.loggers,
                          .interceptors = request_.interceptors,
                          .idempotency_key = key_of(request_, what.node_id),
                          .circuit_breakers = request_.circuit_breakers,
                          .run_logger = request_.run_logger,
                          .provider_call_logger = request_.provider_call_logger,
                          .stop = stop,
                          .on_update = {},
                          .sub_pipelines = request_.sub_pipelines,
                          .child = &place});
    } catch (const std::exception& error) {  // the system gives no more threads or memory
      return fail(ErrorCode::kExhausted, error.what());
    }
  }();
  tracker.remove(what.id);
  tracker.clean_up(what.id);
  return report;
}

ChildRuns::Outcome ChildRuns::conclude(const RunId& id, const ChildCall& call,
                                       Result<RunReport> report, NodeEvents& events) {
  const bool says_end = takes_end(id);
  ChildFact fact{.run_id = id, .pipeline = call.node.pipeline};
  if (report) fact.duration_ms = report->duration_ms;
  if (report && report->outcome == RunOutcome::kCompleted) {
    if (says_end) events.child(Type::kChildCompleted, fact);
    return tool::Output{.payload = std::move(report->result), .usage = {}};
  }
  auto failure = report ? failure_of(id, call, *report) : not_recorded(report.error());
  fact.error_type = failure.type;
  fact.error_message = failure.message;
  if (says_end) events.child(Type::kChildFailed, fact);
  return std::unexpected(std::move(failure));
}

bool ChildRuns::takes_end(const RunId& id) {
  const std::lock_guard lock(mutex_);
  return open_.erase(id) > 0;
}

void ChildRuns::stop_at_once() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  pauses_.hand_down({.run = run_.id(), .signal_id = {}, .type = "emergency-stop"});
  std::map<RunId, std::string> open;
  {
    const std::lock_guard lock(mutex_);
    open.swap(open_);
  }
  for (const auto& [id, node_id] : open) say_ended(node_id, id, Ended::kCancelled);
  end_lost();
}

void ChildRuns::end_lost() {
  if (request_.sub_pipelines == nullptr) return;
  const std::lock_guard ending(ending_mutex_);
  std::map<std::string, RecordedChild, std::less<>> lost;
  {
    const std::lock_guard lock(mutex_);
    lost.swap(lost_);
  }
  for (const auto& [node_id, child] : lost) {
    if (!child.has_ended) end_lost(node_id, child.run_id);
  }
}

void ChildRuns::end_lost(std::string_view node_id, const RunId& id) {
  auto lost = request_.sub_pipelines->take(id, tenant_id_);
  if (!lost) return;  // another process has it
  const std::stop_source stop;
  stop.request_stop();
  auto ended = Ended::kCancelled;
  if (lost->owned.recorded.engine_attempt > 0) {
    const auto report = run_to_end({.id = id,
                                    .node_id = node_id,
                                    .pipeline = lost->pipeline,
                                    .payload = std::move(lost->payload),
                                    .params = std::move(lost->params),
                                    .owned = &lost->owned},
                                   stop.get_token());
    if (report && report->outcome == RunOutcome::kCompleted) ended = Ended::kCompleted;
  }
  say_ended(node_id, id, ended);
}

void ChildRuns::say_ended(std::string_view node_id, const RunId& id, Ended how) {
  const auto text = id.text();
  std::vector<event::FieldValue> fields = {{Field::kNodeId, node_id}};
  if (how == Ended::kCancelled) {
    fields.push_back({Field::kErrorType, kCancelledType});
    fields.push_back({Field::kErrorMessage, std::string_view("its parent ends")});
  }
  fields.push_back({Field::kTargetRunId, std::string_view(text)});
  run_.emit(how == Ended::kCompleted ? Type::kChildCompleted : Type::kChildFailed, fields);
}

}  // namespace weir::engine
