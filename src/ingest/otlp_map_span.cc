#include <algorithm>
#include <charconv>

#include "ingest/otlp_mapper.h"

namespace weir::ingest::otlp {

using event::Field;
using enum Known;

namespace {

constexpr std::uint32_t kStatusError = 2;

/// `outcome` says more than the state where there is more: see docs/reference/mapping.md.
std::string_view outcome_of(std::string_view result) {
  struct Named {
    std::string_view result, outcome;
  };
  static constexpr Named kResults[] = {
      {"", ""},
      {"success", ""},
      {"failure", "failed"},
      {"error", "failed"},
      {"skip", "skipped"},
      {"timeout", "timeout"},
      {"cancellation", "cancelled"},
  };
  for (const auto& [name, outcome] : kResults) {
    if (name == result) return outcome;
  }
  return "unknown";
}

void put_kind(JsonText& json, std::uint32_t kind) {
  static constexpr std::string_view kKinds[] = {"",       "internal", "server",
                                                "client", "producer", "consumer"};
  if (kind == 0) return;
  json.member("kind");
  if (kind < std::size(kKinds)) return json.string(kKinds[kind]);
  json.integer(kind);
}

void put_status(JsonText& json, const Span& span) {
  if (span.status_code == kStatusError) return;  // the level and error_message say so
  if (span.status_code == 1) {
    put_text(json, "status_code", "ok");
  } else {
    put_count(json, "status_code", span.status_code);
  }
  put_text(json, "status_message", span.status_message);
}

void put_list(JsonText& json, std::string_view name, const JsonText& items) {
  if (items.empty()) return;
  json.member(name);
  json.open('[');
  json.raw(items.view());
  json.close(']');
}

std::optional<double> duration_of(const Span& span) {
  if (span.start.count == 0 || span.end.count == 0) return {};
  // A clock that was set meanwhile makes it negative.
  const bool forward = span.end.count >= span.start.count;
  const auto count =
      forward ? span.end.count - span.start.count : span.start.count - span.end.count;
  return static_cast<double>(count) / (forward ? 1e6 : -1e6);
}

}  // namespace

bool Mapper::is_good(const Span& span) {
  using enum Id::State;
  if (!span.trace_id.good()) return reject(span.trace_id.reason("trace_id"));
  if (!span.span_id.good()) return reject(span.span_id.reason("span_id"));
  if (span.parent_span_id.state == kWrong) {
    return reject(span.parent_span_id.reason("parent_span_id"));
  }
  return !span.name.empty() || reject("name is missing");
}

bool Mapper::add(Span& span) {
  if (!begin_record(span.problem) || !is_good(span)) return true;
  fields_.clear();
  put_span(span);
  const auto event_id = event_id_of(span);
  fields_.put(Field::kEventId, event_id);
  fields_.put(Field::kSource, "otlp");
  fields_.put(Field::kSourceRunId, span.trace_id.text());
  put_attributes(span);
  const bool failed = span.status_code == kStatusError;
  return lines_.add({.timestamp = time_of(span.end, span.start),
                     .type = type_,
                     .level = failed ? event::Level::kError : event::Level::kInfo,
                     .pipeline_id = pipeline_of(span.attributes.known),
                     .pipeline_version = pipeline_version_,
                     .run_id = run_of_trace(span.trace_id.text()),
                     .key = event_id,
                     .fields = fields_.view(),
                     .shared = &shared()});
}

void Mapper::put_span(const Span& span) {
  const auto& known = span.attributes.known;
  fields_.put(Field::kEnvironmentId, environment_of(known));
  fields_.put(Field::kComponent, scope_.name);
  fields_.put(Field::kParentRunId, parent_run_of(span.trace_state));
  fields_.put(Field::kSessionId, known.text<kSessionId, kConversationId>());
  fields_.put(Field::kUserId, known.text<kUserId, kEndUserId>());
  fields_.put(Field::kTraceId, span.trace_id.text());
  fields_.put(Field::kSpanId, span.span_id.text());
  const bool is_root = !span.parent_span_id.good();
  if (!is_root) put_node(span);
  fields_.put(Field::kStepIndex, known.integer<kWeirStepIndex>());
  fields_.put(Field::kAttempt, known.integer<kWeirAttempt>());
  fields_.put(Field::kDurationMs, duration_of(span));
  put_failure(span);
  if (is_root) fields_.put(Field::kPipelineName, span.name);
  put_agent(known, is_root ? span.name : std::string_view());
}

void Mapper::put_node(const Span& span) {
  const auto& known = span.attributes.known;
  const auto task = known.text<kTaskName>();
  auto plugin = known.text<kWeirPluginId>();
  if (plugin.empty()) plugin = scope_.name;
  if (plugin.empty()) plugin = resource_.known.text<kServiceName>();
  fields_.put(Field::kParentSpanId, span.parent_span_id.text());
  fields_.put(Field::kNodeId, task.empty() ? span.name : task);
  fields_.put(Field::kPluginId, plugin);
  fields_.put(Field::kToolId, span.name);
}

void Mapper::put_failure(const Span& span) {
  const auto& known = span.attributes.known;
  const auto either = [](std::string_view first, std::string_view second) {
    return first.empty() ? second : first;
  };
  const auto status = span.status_code == kStatusError ? span.status_message : std::string_view();
  fields_.put(Field::kOutcome, outcome_of(known.text<kTaskResult, kPipelineResult>()));
  fields_.put(Field::kErrorType, either(known.text<kErrorType, kExceptionType>(),
                                        span.exception.text<kExceptionType>()));
  fields_.put(Field::kErrorMessage, either(either(status, known.text<kExceptionMessage>()),
                                           span.exception.text<kExceptionMessage>()));
  fields_.put(Field::kStackTrace, either(known.text<kExceptionStacktrace>(),
                                         span.exception.text<kExceptionStacktrace>()));
  fields_.put(Field::kExitCode, known.integer<kExitCode>());
}

std::string_view Mapper::parent_run_of(std::string_view trace_state) {
  constexpr std::string_view kKey = "weir=";
  while (!trace_state.empty()) {
    auto member = trace_state.substr(0, trace_state.find(','));
    trace_state.remove_prefix(std::min(member.size() + 1, trace_state.size()));
    member.remove_prefix(std::min(member.find_first_not_of(" \t"), member.size()));
    if (!member.starts_with(kKey)) continue;
    member = member.substr(kKey.size(), member.find_last_not_of(" \t") + 1 - kKey.size());
    const auto run = RunId::parse(member);
    if (!run) return {};
    parent_run_id_ = run->text();
    return parent_run_id_;
  }
  return {};
}

std::string_view Mapper::event_id_of(const Span& span) {
  auto* const end = event_id_.data() + event_id_.size();
  auto* out = std::ranges::copy(span.span_id.text(), event_id_.data()).out;
  *out++ = '-';
  out = std::to_chars(out, end, span.kind).ptr;
  *out++ = '-';
  out = std::to_chars(out, end, span.start.count).ptr;
  // Its end is another event, whichever of the two comes first.
  if (span.end.count == 0) out = std::ranges::copy(std::string_view("-open"), out).out;
  return {event_id_.data(), out};
}

void Mapper::put_attributes(Span& span) {
  auto& json = span.attributes.json;
  put_otlp(json, span.attributes.aside.view(), [&](JsonText& otlp) {
    put_kind(otlp, span.kind);
    put_text(otlp, "trace_state", span.trace_state);
    put_count(otlp, "flags", span.flags);
    put_status(otlp, span);
    put_text(otlp, "start_time_unix_nano", span.start.verbatim);
    put_text(otlp, "end_time_unix_nano", span.end.verbatim);
    put_list(otlp, "events", span.events);
    put_list(otlp, "links", span.links);
    put_count(otlp, "dropped_attributes_count", span.dropped_attributes);
    put_count(otlp, "dropped_events_count", span.dropped_events);
    put_count(otlp, "dropped_links_count", span.dropped_links);
  });
  json.close('}');
  if (json.size() > 2) fields_.put(Field::kAttributes, event::ObjectText{json.view()});
}

}  // namespace weir::ingest::otlp
