#include <algorithm>
#include <array>
#include <cctype>

#include "ingest/otlp_mapper.h"

namespace weir::ingest::otlp {

using event::Field;
using event::Level;
using enum Known;

namespace {

/// SeverityNumber counts up in groups of four, from TRACE, which is 1 to 4, to FATAL.
Level level_of_number(std::uint32_t severity) {
  constexpr std::array kGroups = {Level::kDebug,   Level::kDebug, Level::kInfo,
                                  Level::kWarning, Level::kError, Level::kFatal};
  return kGroups[std::min<std::size_t>((severity - 1) / 4, kGroups.size() - 1)];
}

/// By how the text begins, in any case: systems have many names for few levels.
Level level_of_text(std::string_view severity) {
  struct Named {
    std::string_view begin;
    Level level;
  };
  static constexpr Named kNames[] = {
      {"trace", Level::kDebug},  {"debug", Level::kDebug},  {"verbose", Level::kDebug},
      {"fine", Level::kDebug},   {"warn", Level::kWarning}, {"err", Level::kError},
      {"severe", Level::kError}, {"fatal", Level::kFatal},  {"crit", Level::kFatal},
      {"alert", Level::kFatal},  {"emerg", Level::kFatal},  {"panic", Level::kFatal},
  };
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (const auto& [begin, level] : kNames) {
    if (std::ranges::equal(severity.substr(0, begin.size()), begin, same)) return level;
  }
  return Level::kInfo;
}

std::string_view message_of(const LogRecord& record) {
  if (record.body.kind == Scalar::Kind::kString) return record.body.text;
  return record.body.kind == Scalar::Kind::kNone ? std::string_view() : record.body_json.view();
}

/// One that is not as it should be: the record is kept, and is of no trace, as the protocol says.
void put_invalid_id(JsonText& json, std::string_view name, const Id& id) {
  if (id.good() || id.state == Id::State::kAbsent) return;
  json.member(name);
  id.put_raw(json);
}

}  // namespace

bool Mapper::add(LogRecord& record) {
  for (const auto& [name, id] :
       {std::pair("trace_id", &record.trace_id), std::pair("span_id", &record.span_id)}) {
    if (id->is_base64()) record.problem.set(id->reason(name));
  }
  if (!begin_record(record.problem)) return true;
  const auto& known = record.attributes.known;
  const bool traced = record.trace_id.good();
  const auto timestamp = time_of(record.time, record.observed);
  fields_.clear();
  fields_.put(Field::kEnvironmentId, environment_of(known));
  fields_.put(Field::kLogger, scope_.name);
  fields_.put(Field::kSessionId, known.text<kSessionId, kConversationId>());
  fields_.put(Field::kUserId, known.text<kUserId, kEndUserId>());
  if (traced) fields_.put(Field::kTraceId, record.trace_id.text());
  if (traced && record.span_id.good()) fields_.put(Field::kSpanId, record.span_id.text());
  fields_.put(Field::kErrorType, known.text<kErrorType, kExceptionType>());
  fields_.put(Field::kErrorMessage, known.text<kExceptionMessage>());
  fields_.put(Field::kStackTrace, known.text<kExceptionStacktrace>());
  fields_.put(Field::kExitCode, known.integer<kExitCode>());
  fields_.put_always(Field::kMessage, message_of(record));
  put_agent(known, {});
  fields_.put(Field::kSource, "otlp");
  if (traced) fields_.put(Field::kSourceRunId, record.trace_id.text());
  put_attributes(record);
  return lines_.add(
      {.timestamp = timestamp,
       .type = type_,
       .level = record.severity_number != 0 ? level_of_number(record.severity_number)
                                            : level_of_text(record.severity_text),
       .pipeline_id = pipeline_of(known),
       .pipeline_version = pipeline_version_,
       .run_id = traced ? run_of_trace(record.trace_id.text()) : run_of_day(timestamp),
       .key = {},
       .fields = fields_.view(),
       .shared = &shared()});
}

void Mapper::put_attributes(LogRecord& record) {
  auto& json = record.attributes.json;
  const bool is_traced = record.trace_id.good();
  put_otlp(json, record.attributes.aside.view(), [&](JsonText& otlp) {
    put_text(otlp, "event_name", record.event_name);
    put_count(otlp, "severity_number", record.severity_number);
    put_text(otlp, "severity_text", record.severity_text);
    put_rest_of_time(otlp, "time_unix_nano", record.time);
    if (record.observed.count != record.time.count) {
      put_nanoseconds(otlp, "observed_time_unix_nano", record.observed);
    }
    put_invalid_id(otlp, "trace_id", record.trace_id);
    put_invalid_id(otlp, "span_id", record.span_id);
    if (!is_traced && record.span_id.good()) put_text(otlp, "span_id", record.span_id.text());
    put_count(otlp, "flags", record.flags);
    put_count(otlp, "dropped_attributes_count", record.dropped_attributes);
  });
  json.close('}');
  if (json.size() > 2) fields_.put(Field::kAttributes, event::ObjectText{json.view()});
}

}  // namespace weir::ingest::otlp
