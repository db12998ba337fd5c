#include "engine/run_place.h"

#include <memory>
#include <utility>

#include "record/context_carrier.h"

namespace weir::engine {
namespace {

record::TraceContext context_around() {
  if (const auto current = record::current_context()) return *current;
  return record::from_environment(record::process_environment());
}

constexpr const char* kExecutionMode = "execution_mode";

std::string mode_of(const record::TraceContext& context) {
  const auto mode = context.ids.extra.find(kExecutionMode);
  return mode == context.ids.extra.end() ? std::string() : mode->second;
}

}  // namespace

void set_loggers(RunPlace& place, const record::Loggers* loggers) {
  place.loggers = loggers;
  place.says_io = loggers != nullptr && loggers->level(kPipelineLogger) == event::Level::kDebug;
}

void set_execution_mode(RunPlace& place, const std::string& mode) {
  place.execution_mode = mode;
  place.context.ids.extra[kExecutionMode] = mode;
}

std::string execution_mode_around() { return mode_of(context_around()); }
std::string tenant_around() { return context_around().ids.tenant_id; }

std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  auto result = std::filesystem::absolute(path, error);
  return error ? path : result;
}

RunPlace place_of_run(const RunId& run, Timestamp now, std::filesystem::path store) {
  RunPlace place{.context = context_around().child_span(),
                 .parent_run_id = {},
                 .execution_mode = {},
                 .store = std::move(store)};
  auto& context = place.context;
  // It says whether the sender has recorded: Weir does, whatever was decided before it.
  context.flags |= record::kSampledFlag;
  const auto id = run.text();
  WEIR_CHECK(context.tracestate.set("weir", id));
  auto& ids = context.ids;
  if (const auto parent = RunId::parse(ids.run_id)) place.parent_run_id = parent->text();
  place.execution_mode = mode_of(context);
  ids.run_id = id;
  ids.run_started_at = now;
  ids.step_id.clear();  // the one around is the parent's
  ids.trace_id.clear();
  return place;
}

RunPlace place_of_recorded_run(const RecordedRun& run, std::filesystem::path store) {
  RunPlace place{.context = {},
                 .parent_run_id = run.parent_run_id,
                 .execution_mode = {},
                 .engine_attempt = run.engine_attempt + 1,
                 .store = std::move(store)};
  auto& context = place.context;
  context.trace_id = run.trace_id;
  context.span_id = run.span_id;
  context.parent_span_id = run.parent_span_id;
  context.flags |= record::kSampledFlag;
  const auto id = run.run_id.text();
  WEIR_CHECK(context.tracestate.set("weir", id));
  context.ids = run.ids;
  context.ids.run_id = id;
  context.ids.run_started_at = run.started_at;
  if (!run.execution_mode.empty()) set_execution_mode(place, run.execution_mode);
  return place;
}

record::CorrelationIds correlation_of(const RunPlace& place) {
  auto ids = place.context.ids;
  ids.run_id.clear();
  return ids;
}

record::TraceContext context_of_node(const RunPlace& place, SpanId span,
                                     const std::string& node_id) {
  auto context = place.context;
  context.parent_span_id = context.span_id;
  context.span_id = span;
  context.ids.step_id = node_id;
  return context;
}

}  // namespace weir::engine
