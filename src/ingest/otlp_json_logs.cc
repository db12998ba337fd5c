#include "ingest/otlp_json.h"

namespace weir::ingest::otlp {
namespace {

constexpr std::string_view kSeverities[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};

bool read_log_number(JsonFields& fields, std::string_view key, LogRecord& record) {
  auto& problem = record.problem;
  if (key == "timeUnixNano") {
    record.time = fields.time(key, problem);
  } else if (key == "observedTimeUnixNano") {
    record.observed = fields.time(key, problem);
  } else if (key == "severityNumber") {
    record.severity_number = fields.choice(key, "SEVERITY_NUMBER_", kSeverities, problem);
  } else if (key == "droppedAttributesCount") {
    record.dropped_attributes = fields.count32(key, problem);
  } else if (key == "flags") {
    record.flags = fields.count32(key, problem);
  } else {
    return false;
  }
  return true;
}

void read_log_member(JsonFields& fields, std::string_view key, LogRecord& record) {
  auto& problem = record.problem;
  if (key == "body") {
    record.body_json.clear();
    record.body = fields.any_value(record.body_json, problem);
  } else if (key == "attributes") {
    fields.attributes(record.attributes, problem);
  } else if (key == "severityText") {
    record.severity_text = fields.text(key, problem);
  } else if (key == "eventName") {
    record.event_name = fields.text(key, problem);
  } else if (key == "traceId") {
    fields.id(record.trace_id, Id::kTrace, key, problem);
  } else if (key == "spanId") {
    fields.id(record.span_id, Id::kSpan, key, problem);
  } else if (!read_log_number(fields, key, record)) {
    fields.reader.skip();
  }
}

}  // namespace

std::optional<Malformed> read_json_logs(std::string_view body, Mapper& mapper) {
  JsonFields fields(body);
  LogRecord record;
  return JsonRequest(fields, mapper, {"resourceLogs", "scopeLogs", "logRecords"}).read([&] {
    record.clear();
    fields.object("a log record", record.problem,
                  [&](std::string_view key) { read_log_member(fields, key, record); });
    if (!fields.reader.failed() && !mapper.add(record)) fields.reader.fail(kTooMuch);
  });
}

}  // namespace weir::ingest::otlp
