#include "ingest/otlp_json.h"

namespace weir::ingest::otlp {
namespace {

constexpr std::string_view kSpanKinds[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                           "CLIENT",      "PRODUCER", "CONSUMER"};
constexpr std::string_view kStatusCodes[] = {"UNSET", "OK", "ERROR"};

/// Reads spans one after the other into one and the same memory.
class JsonSpanReader {
 public:
  explicit JsonSpanReader(JsonFields& fields) : fields_(fields) {}

  Span& read();

 private:
  void read_field(std::string_view key);
  bool read_list(std::string_view key);
  bool read_count(std::string_view key);
  void read_event();
  void read_link();
  void read_status();

  JsonFields& fields_;
  Span span_;
  SpanEvent event_;
  SpanLink link_;
};

Span& JsonSpanReader::read() {
  span_.clear();
  fields_.object("a span", span_.problem, [&](std::string_view key) { read_field(key); });
  return span_;
}

void JsonSpanReader::read_field(std::string_view key) {
  auto& problem = span_.problem;
  if (key == "traceId") {
    fields_.id(span_.trace_id, Id::kTrace, key, problem);
  } else if (key == "spanId") {
    fields_.id(span_.span_id, Id::kSpan, key, problem);
  } else if (key == "parentSpanId") {
    fields_.id(span_.parent_span_id, Id::kSpan, key, problem);
  } else if (key == "name") {
    span_.name = fields_.text(key, problem);
  } else if (key == "startTimeUnixNano") {
    span_.start = fields_.time(key, problem);
  } else if (key == "endTimeUnixNano") {
    span_.end = fields_.time(key, problem);
  } else if (key == "kind") {
    span_.kind = fields_.choice(key, "SPAN_KIND_", kSpanKinds, problem);
  } else if (key == "traceState") {
    span_.trace_state = fields_.text(key, problem);
  } else if (key == "status") {
    read_status();
  } else if (!read_list(key) && !read_count(key)) {
    fields_.reader.skip();
  }
}

bool JsonSpanReader::read_list(std::string_view key) {
  if (key == "attributes") {
    fields_.attributes(span_.attributes, span_.problem);
  } else if (key == "events") {
    fields_.list(key, span_.problem, [&] { read_event(); });
  } else if (key == "links") {
    fields_.list(key, span_.problem, [&] { read_link(); });
  } else {
    return false;
  }
  return true;
}

bool JsonSpanReader::read_count(std::string_view key) {
  std::uint32_t* const count = key == "flags"                    ? &span_.flags
                               : key == "droppedAttributesCount" ? &span_.dropped_attributes
                               : key == "droppedEventsCount"     ? &span_.dropped_events
                               : key == "droppedLinksCount"      ? &span_.dropped_links
                                                                 : nullptr;
  if (count != nullptr) *count = fields_.count32(key, span_.problem);
  return count != nullptr;
}

void JsonSpanReader::read_event() {
  auto& problem = span_.problem;
  event_.clear();
  fields_.object("an event", problem, [&](std::string_view key) {
    if (key == "timeUnixNano") {
      event_.time = fields_.time(key, problem);
    } else if (key == "name") {
      event_.name = fields_.text(key, problem);
    } else if (key == "attributes") {
      fields_.attributes(event_.attributes, event_.known, problem);
    } else if (key == "droppedAttributesCount") {
      event_.dropped_attributes = fields_.count32(key, problem);
    } else {
      fields_.reader.skip();
    }
  });
  span_.add(event_);
}

void JsonSpanReader::read_link() {
  auto& problem = span_.problem;
  link_.clear();
  fields_.object("a link", problem, [&](std::string_view key) {
    if (key == "traceId") {
      fields_.id(link_.trace_id, Id::kTrace, key, problem);
    } else if (key == "spanId") {
      fields_.id(link_.span_id, Id::kSpan, key, problem);
    } else if (key == "traceState") {
      link_.trace_state = fields_.text(key, problem);
    } else if (key == "attributes") {
      fields_.attributes(link_.attributes, link_.known, problem);
    } else if (key == "droppedAttributesCount") {
      link_.dropped_attributes = fields_.count32(key, problem);
    } else if (key == "flags") {
      link_.flags = fields_.count32(key, problem);
    } else {
      fields_.reader.skip();
    }
  });
  span_.add(link_);
}

void JsonSpanReader::read_status() {
  auto& problem = span_.problem;
  fields_.object("status", problem, [&](std::string_view key) {
    if (key == "message") {
      span_.status_message = fields_.text(key, problem);
    } else if (key == "code") {
      span_.status_code = fields_.choice(key, "STATUS_CODE_", kStatusCodes, problem);
    } else {
      fields_.reader.skip();
    }
  });
}

}  // namespace

std::optional<Malformed> read_json_traces(std::string_view body, Mapper& mapper) {
  JsonFields fields(body);
  JsonSpanReader reader(fields);
  return JsonRequest(fields, mapper, {"resourceSpans", "scopeSpans", "spans"}).read([&] {
    auto& span = reader.read();
    if (!fields.reader.failed() && !mapper.add(span)) fields.reader.fail(kTooMuch);
  });
}

}  // namespace weir::ingest::otlp
