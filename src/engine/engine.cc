#include "engine/engine.h"

#include <mutex>

#include "engine/child_runs.h"
#include "engine/execution.h"
#include "engine/local_adapter.h"
#include "engine/logged_run.h"
#include "engine/run_events.h"
#include "engine/tool_gate.h"
#include "pipeline/capabilities.h"
#include "pipeline/execution_modes.h"

namespace weir::engine {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

record::RunFields run_fields(const pipeline::Definition& definition, const RunId& run,
                             const RunPlace& place,
                             record::Durability durability = record::Durability::kBatch,
                             std::int64_t last_run_seq = 0) {
  return {.run_id = run,
          .pipeline_type = std::string(to_string(definition.type)),
          .pipeline_id = definition.id,
          .pipeline_version = definition.version,
          .trace_id = place.context.trace_id,
          .durability = durability,
          .correlation = correlation_of(place),
          .last_run_seq = last_run_seq};
}

/// How many runs are around it.
int depth_of(const RunRequest& request) {
  if (request.owned != nullptr) return static_cast<int>(request.owned->recorded.depth);
  return request.child != nullptr ? request.child->depth : 0;
}

/// Of a run that had ended before: nothing more is said of it.
RunReport report_of_ended(const RunRequest& request, Execution& execution) {
  const auto& recorded = request.owned->recorded;
  RunReport report{.run_id = recorded.run_id,
                   .outcome = recorded.end == event::info(event::Type::kPipelineCompleted).name
                                  ? pipeline::RunOutcome::kCompleted
                              : recorded.end == event::info(event::Type::kPipelineFailed).name
                                  ? pipeline::RunOutcome::kFailed
                                  : pipeline::RunOutcome::kCancelled,
                   .duration_ms = recorded.duration_ms,
                   .failed_node_id = recorded.failed_node_id};
  report.failure = execution.failure();  // of a node; it says more than the run's end
  if (report.failure.type.empty()) {
    report.failure.type = recorded.error_type;
    report.failure.message = recorded.error_message;
  }
  if (report.outcome == pipeline::RunOutcome::kCompleted) {
    report.result = execution.result();
    report.outputs = std::move(execution.outputs());
  }
  return report;
}

/// What the run's first event names is durable before that is committed.
Result<RunEvents::Start> keep(const RunRequest& request, const artifact::ArtifactStore& artifacts,
                              const event::Redactor& redactor) {
  WEIR_TRY(const auto definition, artifacts.put(request.definition_text));
  WEIR_TRY(const auto input, artifacts.put(json::to_text(request.payload)));
  RunEvents::Start start{.definition = definition,
                         .input = input,
                         .params = request.params,
                         .params_sha256 = {},
                         .file = request.file,
                         .rerun_from = request.rerun.from,
                         .depth = depth_of(request)};
  // A rerun that was asked for anew repeats the rerun, and takes from the run that this repeats.
  if (request.rerun.of != nullptr && !request.previous_run_id.empty()) {
    start.rerun_of = request.rerun.of->run_id.text();
  }
  if (const auto params = json::to_text(request.params); !may_stand_in_event(params, redactor)) {
    WEIR_TRY(start.params_sha256, artifacts.put(params));
  }
  return start;
}

/// Also of a run that was inside another and is taken up or repeated by itself.
std::vector<ModeAround> modes_around(const RunRequest& request) {
  if (request.child != nullptr) return request.child->modes;
  if (request.owned != nullptr) return request.owned->recorded.modes_around;
  return request.rerun.of != nullptr ? request.rerun.of->modes_around : std::vector<ModeAround>();
}

/// Where the run stands: who it is, in which trace, for whom.
RunPlace place_of(const RunRequest& request, record::Recorder& recorder) {
  const auto now = recorder.clock().now();
  const auto store = absolute_path(recorder.store().root());
  const auto* recorded = request.owned != nullptr ? &request.owned->recorded : nullptr;
  const auto new_id = request.child != nullptr ? request.child->run_id
                      : request.run_id         ? *request.run_id
                                               : RunId::make(now);
  auto place = recorded != nullptr ? place_of_recorded_run(*recorded, store)
                                   : place_of_run(new_id, now, store);
  if (recorded == nullptr && !request.execution_mode.empty()) {
    set_execution_mode(place, request.execution_mode);
  }
  auto& tenant = place.context.ids.tenant_id;
  if (recorded == nullptr && !request.tenant_id.empty()) {
    tenant = request.tenant_id;
  } else if (recorded == nullptr && request.rerun.of != nullptr && tenant.empty()) {
    tenant = request.rerun.of->ids.tenant_id;
  }
  place.modes_around = modes_around(request);
  set_loggers(place, request.loggers);
  place.process_runs = &recorder.process_runs();
  place.provider_calls = request.provider_call_logger;
  auto& previous = place.context.ids.previous_run_id;
  if (!request.previous_run_id.empty()) {
    previous = request.previous_run_id;
  } else if (recorded == nullptr && request.rerun.of != nullptr) {
    previous = request.rerun.of->run_id.text();
  }
  return place;
}

/// What has ended, as it ended.
void fill(RunReport& report, Execution& execution) {
  if (report.outcome == pipeline::RunOutcome::kCompleted) {
    report.result = execution.result();
    report.outputs = std::move(execution.outputs());
  }
  report.wants_retry = execution.signals().wants_retry_of_run();
  report.failure = execution.failure();
  report.undo_failures = execution.undo_failures();
  report.failed_node_id = execution.first_failed_id();
}

}  // namespace

Result<RunReport> Engine::run(const RunRequest& request) {
  LocalAdapter::Call call(request.adapter, recorder_.clock(), request.jobs);
  auto report = carry_out(request, call);
  if (!report) call.failed(report.error());
  return report;
}

Result<RunReport> Engine::carry_out(const RunRequest& request, LocalAdapter::Call& call) {
  const auto& clock = recorder_.clock();
  const auto start = clock.monotonic();
  const auto* recorded = request.owned != nullptr ? &request.owned->recorded : nullptr;
  const auto place = place_of(request, recorder_);
  const auto run_id = RunId::parse(place.context.ids.run_id).value_or(RunId());
  const auto problems = pipeline::mode_problems(request.definition, place.execution_mode);
  if (!problems.empty()) return fail(ErrorCode::kInvalidInput, problems.front().message);
  WEIR_TRY(const auto kept, keep(request, artifacts_, redactor_));
  const auto fields = run_fields(request.definition, run_id, place, request.durability,
                                 recorded != nullptr ? recorded->last_run_seq : 0);
  WEIR_TRY(const auto run, request.owned != nullptr
                               ? recorder_.begin(fields, std::move(request.owned->lock))
                               : recorder_.begin(fields));

  RunEvents events(*run, request.definition, place);
  LoggedRun logged(request, *run, place);
  RunReport report{.run_id = run_id};
  std::once_flag ended;  // before what may ask it from another thread until it is gone
  ChildRuns children(*this, request, *run, depth_of(request), place);
  Execution execution(request, tools_, {.artifacts = artifacts_, .redactor = redactor_}, *run,
                      place, children);
  if (recorded != nullptr) {
    WEIR_TRY(execution.take_up(*recorded));
    if (!recorded->end.empty()) return report_of_ended(request, execution);
    children.remember(*recorded);
    events.taken_up();
  } else {
    events.started(kept);
    for (const auto& missing : pipeline::missing_capabilities(request.definition, tools_)) {
      events.degraded(missing.text, request.definition.fallback);
    }
  }
  logged.started();
  call.completed(run_id, place.context.ids.tenant_id);
  const LocalAdapter::Call::Busy busy(call, [&] { return execution.busy_workers(); });
  const auto end = [&] {
    report.outcome = execution.outcome();
    report.duration_ms = recorded != nullptr
                             ? Milliseconds(clock.now() - recorded->started_at).count()
                             : milliseconds_since(clock, start);
    call.ending(run_id);
    execution.reject_open_signals();
    events.ended(execution, report.duration_ms);
    logged.ended(execution, report.duration_ms);
    static_cast<void>(run->flush());  // its errors are those of the next one
  };
  auto executed = execution.run([&] { std::call_once(ended, end); });
  std::call_once(ended, end);
  if (auto flushed = run->flush(); !flushed) {
    if (stops_without_record(request)) {
      return std::unexpected(std::move(flushed).error().within("the run cannot be recorded"));
    }
    report.record_error = std::move(flushed).error();
  }
  WEIR_TRY(std::move(executed));
  fill(report, execution);
  return report;
}

Result<RunId> Engine::record_refusal(const pipeline::Definition& definition,
                                     std::string_view error_type, std::string_view message,
                                     std::string_view tenant_id) {
  const auto& clock = recorder_.clock();
  const auto start = clock.monotonic();
  const auto run_id = RunId::make(clock.now());
  auto place = place_of_run(run_id, clock.now(), {});
  if (!tenant_id.empty()) place.context.ids.tenant_id = tenant_id;
  WEIR_TRY(const auto run, recorder_.begin(run_fields(definition, run_id, place)));
  RunEvents(*run, definition, place).refused(error_type, message, milliseconds_since(clock, start));
  WEIR_TRY(run->flush());
  return run_id;
}

}  // namespace weir::engine
