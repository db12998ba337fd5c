#include "engine/run_events.h"

#include "base/utf8.h"
#include "engine/error_summary.h"
#include "engine/failures.h"
#include "engine/local_adapter.h"
#include "record/context_attributes.h"
#include "record/wide_events.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;
using pipeline::RunOutcome;

/// A file of typing errors has more to say than an event may hold.
constexpr std::size_t kMaxRefusal = std::size_t{64} << 10;

std::vector<std::string> texts(const std::vector<pipeline::Located>& located) {
  std::vector<std::string> result;
  result.reserve(located.size());
  for (const auto& item : located) result.push_back(item.text);
  return result;
}

}  // namespace

RunEvents::RunEvents(record::Run& run, const pipeline::Definition& definition,
                     const RunPlace& place)
    : run_(run),
      definition_(definition),
      place_(place),
      span_(place.context.span_id.text()),
      parent_span_(place.context.parent_span_id.text()),
      node_count_(static_cast<std::int64_t>(definition.nodes.size())),
      output_ids_(texts(definition.output_nodes)) {
  wide_.topology = definition.id;
}

void RunEvents::emit(Type type, const std::vector<event::FieldValue>& fields) {
  std::vector<event::FieldValue> all;
  all.reserve(fields.size() + 4);
  all.push_back({Field::kAdapter, kLocalAdapter});
  if (type == Type::kPipelineStarted && !place_.parent_run_id.empty()) {
    all.push_back({Field::kParentRunId, std::string_view(place_.parent_run_id)});
  }
  all.push_back({Field::kSpanId, std::string_view(span_.data(), span_.size())});
  if (place_.context.parent_span_id != SpanId()) {
    all.push_back(
        {Field::kParentSpanId, std::string_view(parent_span_.data(), parent_span_.size())});
  }
  all.insert(all.end(), fields.begin(), fields.end());
  if (definition_.wide_events.run) wide_.apply(type, run_.clock().now(), all);
  run_.emit(type, all);
}

void RunEvents::started(const Start& start) {
  const auto params_text = json::to_text(start.params);
  const auto entries = texts(definition_.entry_nodes);
  const auto definition_hash = start.definition.text(), input_hash = start.input.text();
  std::vector<event::FieldValue> fields = {
      {Field::kExecutionMode, std::string_view(place_.execution_mode)},
      {Field::kPipelineName, std::string_view(definition_.name)},
      {Field::kEntryNodes, std::span(entries)},
      {Field::kOutputNodes, std::span(output_ids_)},
      {Field::kNodeCount, node_count_},
      {Field::kDefinitionSha256, std::string_view(definition_hash)},
      {Field::kInputSha256, std::string_view(input_hash)}};
  if (place_.execution_mode.empty()) fields.erase(fields.begin());
  if (!start.params.empty()) fields.push_back({Field::kParams, event::ObjectText{params_text}});
  json::Object attributes;  // what going on with the run takes
  if (start.depth > 0) attributes.set("depth", start.depth);
  if (!place_.modes_around.empty()) attributes.set("modes_around", to_json(place_.modes_around));
  if (!start.file.empty()) attributes.set("file", start.file.string());
  if (start.params_sha256) attributes.set("params_sha256", start.params_sha256->text());
  if (!start.rerun_from.empty()) {
    attributes.set("rerun_from", json::Array(start.rerun_from.begin(), start.rerun_from.end()));
  }
  if (!start.rerun_of.empty()) attributes.set("rerun_of", start.rerun_of);
  record::add_missing(attributes, record::context_attributes(place_.context.ids));
  record::add_missing(attributes, record::run_context_attributes(place_.context.ids));
  const auto attributes_text = json::to_text(attributes);
  if (!attributes.empty()) {
    fields.push_back({Field::kAttributes, event::ObjectText{attributes_text}});
  }
  emit(Type::kPipelineStarted, fields);
}

void RunEvents::degraded(const std::string& capability, pipeline::Fallback how) {
  json::Object attributes;
  attributes.set("capability", capability);
  const auto text = json::to_text(attributes);
  emit(Type::kCapabilityDegraded,
       {{Field::kReason,
         std::string_view(how == pipeline::Fallback::kEmulate ? "emulated" : "not_supported")},
        {Field::kAttributes, event::ObjectText{text}}});
}

void RunEvents::taken_up() {
  emit(Type::kPipelineResumed, {{Field::kEngineAttempt, place_.engine_attempt},
                                {Field::kReason, std::string_view("its process had ended")}});
}

void RunEvents::ended(Execution& execution, double duration_ms) {
  switch (execution.outcome()) {
    case RunOutcome::kCompleted:
      completed(execution, duration_ms);
      break;
    case RunOutcome::kFailed:
      failed(execution, duration_ms);
      break;
    case RunOutcome::kCancelled:
      cancelled(execution, duration_ms);
      break;
  }
  if (definition_.wide_events.run) emit_wide(execution);
}

void RunEvents::completed(const Execution& execution, double duration_ms) {
  std::vector<event::FieldValue> fields = {{Field::kDurationMs, duration_ms}};
  if (execution.failed_count() > 0) {
    fields.push_back({Field::kOutcome, std::string_view("partial")});
  }
  fields.push_back({Field::kOutputNodeIds, std::span(output_ids_)});
  fields.push_back({Field::kNodeCount, execution.node_count()});
  fields.push_back({Field::kSuccessCount, execution.completed_count()});
  fields.push_back({Field::kFailedCount, execution.failed_count()});
  emit(Type::kPipelineCompleted, fields);
}

void RunEvents::failed(Execution& execution, double duration_ms) {
  const auto first = execution.first_failed_id();
  const auto node = first.empty()
                        ? event::FieldValue{Field::kFailedNodeId, nullptr}
                        : event::FieldValue{Field::kFailedNodeId, std::string_view(first)};
  const auto& failure = execution.failure();
  std::vector<event::FieldValue> fields = {{Field::kDurationMs, duration_ms}};
  // That a node was late is said of the node.
  if (const auto outcome = outcome_of(failure); first.empty() && !outcome.empty()) {
    fields.push_back({Field::kOutcome, outcome});
  }
  fields.push_back({Field::kErrorType, std::string_view(failure.type)});
  if (const auto code = error_code_of(failure); code != kUnknownError) {
    fields.push_back({Field::kErrorCode, code});
  }
  fields.push_back({Field::kErrorMessage, std::string_view(failure.message)});
  fields.push_back({Field::kNodeCount, execution.node_count()});
  fields.push_back({Field::kSuccessCount, execution.completed_count()});
  fields.push_back({Field::kFailedCount, execution.failed_count()});
  fields.push_back(node);
  emit(Type::kPipelineFailed, fields);
}

void RunEvents::cancelled(const Execution& execution, double duration_ms) {
  emit(Type::kPipelineCancelled,
       {{Field::kDurationMs, duration_ms},
        {Field::kNodeCount, execution.node_count()},
        {Field::kSuccessCount, execution.completed_count()},
        {Field::kReason, std::string_view(execution.signals().stop_reason())}});
}

void RunEvents::refused(std::string_view error_type, std::string_view message, double duration_ms) {
  emit(Type::kPipelineFailed, {{Field::kDurationMs, duration_ms},
                               {Field::kErrorType, error_type},
                               {Field::kErrorMessage, utf8::cut(message, kMaxRefusal)},
                               {Field::kFailedNodeId, nullptr}});
}

void RunEvents::emit_wide(Execution& execution) {
  auto nodes = execution.wide_nodes();
  for (auto& node : nodes) {
    if (node.node_id.empty()) continue;  // it was never started
    auto id = node.node_id;
    wide_.nodes.emplace(std::move(id), std::move(node));
  }
  record::emit_pipeline_wide(run_, wide_);
}

}  // namespace weir::engine
