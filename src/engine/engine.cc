#include "engine/engine.h"

#include <unordered_map>

#include "base/utf8.h"
#include "engine/execution.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;
using pipeline::RunOutcome;

std::vector<std::string> texts(const std::vector<pipeline::Located>& located) {
  std::vector<std::string> result;
  result.reserve(located.size());
  for (const auto& item : located) result.push_back(item.text);
  return result;
}

/// A file of typing errors has more to say than an event may hold.
constexpr std::size_t kMaxRefusal = std::size_t{64} << 10;

record::RunFields run_fields(const pipeline::Definition& definition, const Clock& clock) {
  return {.run_id = RunId::make(clock.now()),
          .pipeline_type = std::string(to_string(definition.type)),
          .pipeline_id = definition.id,
          .pipeline_version = definition.version,
          .trace_id = TraceId::make()};
}

/// Records the beginning and the end of a run.
class RunEvents {
 public:
  RunEvents(record::Run& run, const pipeline::Definition& definition, SpanId span)
      : run_(run),
        definition_(definition),
        span_(span.text()),
        node_count_(static_cast<std::int64_t>(definition.nodes.size())),
        output_ids_(texts(definition.output_nodes)) {}

  void started(const Sha256& definition, const Sha256& input) {
    const auto entries = texts(definition_.entry_nodes);
    const auto definition_hash = definition.text(), input_hash = input.text();
    run_.emit(Type::kPipelineStarted,
              {{Field::kSpanId, span()},
               {Field::kPipelineName, std::string_view(definition_.name)},
               {Field::kEntryNodes, std::span(entries)},
               {Field::kOutputNodes, std::span(output_ids_)},
               {Field::kNodeCount, node_count_},
               {Field::kDefinitionSha256, std::string_view(definition_hash)},
               {Field::kInputSha256, std::string_view(input_hash)}});
  }

  void ended(const Execution& execution, double duration_ms) {
    switch (execution.outcome()) {
      case RunOutcome::kCompleted:
        return completed(execution, duration_ms);
      case RunOutcome::kFailed:
        return failed(execution, duration_ms);
      case RunOutcome::kCancelled:
        return cancelled(execution, duration_ms);
    }
  }

 private:
  void completed(const Execution& execution, double duration_ms) {
    run_.emit(Type::kPipelineCompleted, {{Field::kSpanId, span()},
                                         {Field::kDurationMs, duration_ms},
                                         {Field::kOutputNodeIds, std::span(output_ids_)},
                                         {Field::kNodeCount, node_count_},
                                         {Field::kSuccessCount, execution.completed_count()},
                                         {Field::kFailedCount, execution.failed_count()}});
  }

  void failed(const Execution& execution, double duration_ms) {
    const auto first = execution.first_failed();
    const std::string_view node = first ? definition_.nodes[*first].id.text : std::string_view();
    const auto& failure = execution.failure();
    run_.emit(Type::kPipelineFailed, {{Field::kSpanId, span()},
                                      {Field::kDurationMs, duration_ms},
                                      {Field::kErrorType, std::string_view(failure.type)},
                                      {Field::kErrorMessage, std::string_view(failure.message)},
                                      {Field::kNodeCount, node_count_},
                                      {Field::kSuccessCount, execution.completed_count()},
                                      {Field::kFailedCount, execution.failed_count()},
                                      {Field::kFailedNodeId, node}});
  }

  void cancelled(const Execution& execution, double duration_ms) {
    run_.emit(Type::kPipelineCancelled, {{Field::kSpanId, span()},
                                         {Field::kDurationMs, duration_ms},
                                         {Field::kNodeCount, node_count_},
                                         {Field::kSuccessCount, execution.completed_count()},
                                         {Field::kReason, std::string_view("asked to stop")}});
  }

  [[nodiscard]] std::string_view span() const { return {span_.data(), span_.size()}; }

  record::Run& run_;
  const pipeline::Definition& definition_;
  SpanId::Text span_;
  std::int64_t node_count_;
  std::vector<std::string> output_ids_;
};

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
  const auto fields = run_fields(request.definition, clock);
  const auto span = SpanId::make();
  // Durable before the event that names them is committed.
  WEIR_TRY(const auto definition_hash, artifacts_.put(request.definition_text));
  WEIR_TRY(const auto input_hash, artifacts_.put(json::to_text(request.payload)));
  WEIR_TRY(const auto run, recorder_.begin(fields));

  RunEvents events(*run, request.definition, span);
  events.started(definition_hash, input_hash);
  Execution execution(request, tools_, artifacts_, *run,
                      {.trace_id = fields.trace_id,
                       .span_id = span,
                       .store = absolute_path(recorder_.store().root())});
  auto executed = execution.run();
  RunReport report{.run_id = fields.run_id, .outcome = execution.outcome()};
  report.duration_ms = milliseconds_since(clock, start);
  events.ended(execution, report.duration_ms);
  if (auto recorded = run->flush(); !recorded) {
    if (request.definition.on_log_failure == pipeline::OnLogFailure::kStop) {
      return std::unexpected(std::move(recorded).error().within("the run cannot be recorded"));
    }
    report.record_error = std::move(recorded).error();
  }
  WEIR_TRY(std::move(executed));

  if (report.outcome == RunOutcome::kCompleted) {
    report.result = result_of(request, execution.outputs());
    report.outputs = std::move(execution.outputs());
  }
  if (const auto node = execution.first_failed()) {
    report.failed_node_id = request.definition.nodes[*node].id.text;
    report.failure = execution.failure();
  }
  return report;
}

Result<RunId> Engine::record_refusal(const pipeline::Definition& definition,
                                     std::string_view error_type, std::string_view message) {
  const auto& clock = recorder_.clock();
  const auto start = clock.monotonic();
  const auto fields = run_fields(definition, clock);
  WEIR_TRY(const auto run, recorder_.begin(fields));
  run->emit(Type::kPipelineFailed, {{Field::kDurationMs, milliseconds_since(clock, start)},
                                    {Field::kErrorType, error_type},
                                    {Field::kErrorMessage, utf8::cut(message, kMaxRefusal)},
                                    {Field::kFailedNodeId, nullptr}});
  WEIR_TRY(run->flush());
  return fields.run_id;
}

}  // namespace weir::engine
