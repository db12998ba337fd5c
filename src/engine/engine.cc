#include "engine/engine.h"

#include <unordered_map>

#include "engine/execution.h"
#include "engine/run_events.h"

namespace weir::engine {
namespace {

record::RunFields run_fields(const pipeline::Definition& definition, const RunId& run,
                             const RunPlace& place,
                             record::Durability durability = record::Durability::kBatch) {
  return {.run_id = run,
          .pipeline_type = std::string(to_string(definition.type)),
          .pipeline_id = definition.id,
          .pipeline_version = definition.version,
          .trace_id = place.context.trace_id,
          .durability = durability,
          .correlation = correlation_of(place)};
}

/// As it is when there is no way to tell: without a working directory.
std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  auto result = std::filesystem::absolute(path, error);
  return error ? path : result;
}

json::Object result_of(const RunRequest& request, const std::vector<OutputPointer>& outputs) {
  std::unordered_map<std::string_view, OutputPointer> by_id;
  for (std::size_t node = 0; node < outputs.size(); ++node) {
    by_id[request.definition.nodes[node].id.text] = outputs[node];
  }
  std::vector<OutputPointer> chosen;
  chosen.reserve(request.definition.output_nodes.size());
  for (const auto& id : request.definition.output_nodes) chosen.push_back(by_id[id.text]);
  return merge(request.payload, chosen);
}

}  // namespace

Result<RunReport> Engine::run(const RunRequest& request) {
  const auto& clock = recorder_.clock();
  const auto start = clock.monotonic();
  const auto run_id = RunId::make(clock.now());
  auto place = place_of_run(run_id, clock.now(), absolute_path(recorder_.store().root()));
  place.loggers = request.loggers;
  // Durable before the event that names them is committed.
  WEIR_TRY(const auto definition_hash, artifacts_.put(request.definition_text));
  WEIR_TRY(const auto input_hash, artifacts_.put(json::to_text(request.payload)));
  WEIR_TRY(const auto run,
           recorder_.begin(run_fields(request.definition, run_id, place, request.durability)));

  RunEvents events(*run, request.definition, place);
  events.started(definition_hash, input_hash, request.params);
  Execution execution(request, tools_, {.artifacts = artifacts_, .redactor = redactor_}, *run,
                      place);
  auto executed = execution.run();
  RunReport report{.run_id = run_id, .outcome = execution.outcome()};
  report.duration_ms = milliseconds_since(clock, start);
  events.ended(execution, report.duration_ms);
  if (auto recorded = run->flush(); !recorded) {
    if (stops_without_record(request)) {
      return std::unexpected(std::move(recorded).error().within("the run cannot be recorded"));
    }
    report.record_error = std::move(recorded).error();
  }
  WEIR_TRY(std::move(executed));

  if (report.outcome == pipeline::RunOutcome::kCompleted) {
    report.result = result_of(request, execution.outputs());
    report.outputs = std::move(execution.outputs());
  }
  report.failure = execution.failure();
  if (const auto node = execution.first_failed()) {
    report.failed_node_id = request.definition.nodes[*node].id.text;
  }
  return report;
}

Result<RunId> Engine::record_refusal(const pipeline::Definition& definition,
                                     std::string_view error_type, std::string_view message) {
  const auto& clock = recorder_.clock();
  const auto start = clock.monotonic();
  const auto run_id = RunId::make(clock.now());
  const auto place = place_of_run(run_id, clock.now(), {});
  WEIR_TRY(const auto run, recorder_.begin(run_fields(definition, run_id, place)));
  RunEvents(*run, definition, place).refused(error_type, message, milliseconds_since(clock, start));
  WEIR_TRY(run->flush());
  return run_id;
}

}  // namespace weir::engine
