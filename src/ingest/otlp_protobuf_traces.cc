#include "ingest/otlp_decoders.h"
#include "ingest/otlp_protobuf.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::bytes;
using protobuf::Failure;
using protobuf::fixed32;
using protobuf::fixed64;
using protobuf::Reader;
using protobuf::varint;

void read_span_event(std::string_view message, Failure& failure, SpanEvent& event,
                     Problem& problem) {
  event.clear();
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case fixed64(1):
        event.time.count = reader.number();
        break;
      case bytes(2):
        event.name = reader.text();
        break;
      case bytes(3):
        put_key_value(reader.text(), failure, event.attributes, event.known, problem);
        break;
      case varint(4):
        event.dropped_attributes = reader.number32();
        break;
      default:
        break;
    }
  }
}

void read_span_link(std::string_view message, Failure& failure, SpanLink& link, Problem& problem) {
  link.clear();
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case bytes(1):
        link.trace_id.set_bytes(reader.text(), Id::kTrace);
        break;
      case bytes(2):
        link.span_id.set_bytes(reader.text(), Id::kSpan);
        break;
      case bytes(3):
        link.trace_state = reader.text();
        break;
      case bytes(4):
        put_key_value(reader.text(), failure, link.attributes, link.known, problem);
        break;
      case varint(5):
        link.dropped_attributes = reader.number32();
        break;
      case fixed32(6):
        link.flags = reader.number32();
        break;
      default:
        break;
    }
  }
}

void read_status(std::string_view message, Failure& failure, Span& span) {
  for (Reader reader(message, failure); reader.next();) {
    if (reader.tag() == bytes(2)) span.status_message = reader.text();
    if (reader.tag() == varint(3)) span.status_code = reader.number32();
  }
}

/// Reads spans one after the other into one and the same memory.
class SpanReader {
 public:
  explicit SpanReader(Failure& failure) : failure_(failure) {}

  Span& read(std::string_view message);

 private:
  void read_list_item(const Reader& reader);
  void read_rare_field(const Reader& reader);

  Failure& failure_;
  Span span_;
  SpanEvent event_;
  SpanLink link_;
};

Span& SpanReader::read(std::string_view message) {
  span_.clear();
  for (Reader reader(message, failure_); reader.next();) {
    switch (reader.tag()) {
      case bytes(1):
        span_.trace_id.set_bytes(reader.text(), Id::kTrace);
        break;
      case bytes(2):
        span_.span_id.set_bytes(reader.text(), Id::kSpan);
        break;
      case bytes(4):
        span_.parent_span_id.set_bytes(reader.text(), Id::kSpan);
        break;
      case bytes(5):
        span_.name = reader.text();
        break;
      case varint(6):
        span_.kind = reader.number32();
        break;
      case fixed64(7):
        span_.start.count = reader.number();
        break;
      case fixed64(8):
        span_.end.count = reader.number();
        break;
      case bytes(9):
      case bytes(11):
      case bytes(13):
        read_list_item(reader);
        break;
      default:
        read_rare_field(reader);
    }
  }
  return span_;
}

void SpanReader::read_list_item(const Reader& reader) {
  if (reader.tag() == bytes(9)) {
    put_attribute(reader.text(), failure_, span_.attributes, span_.problem);
  } else if (reader.tag() == bytes(11)) {
    read_span_event(reader.text(), failure_, event_, span_.problem);
    span_.add(event_);
  } else {
    read_span_link(reader.text(), failure_, link_, span_.problem);
    span_.add(link_);
  }
}

void SpanReader::read_rare_field(const Reader& reader) {
  switch (reader.tag()) {
    case bytes(3):
      span_.trace_state = reader.text();
      break;
    case varint(10):
      span_.dropped_attributes = reader.number32();
      break;
    case varint(12):
      span_.dropped_events = reader.number32();
      break;
    case varint(14):
      span_.dropped_links = reader.number32();
      break;
    case bytes(15):
      read_status(reader.text(), failure_, span_);
      break;
    case fixed32(16):
      span_.flags = reader.number32();
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<Malformed> read_protobuf_traces(std::string_view body, Mapper& mapper) {
  Failure failure{.body = body};
  SpanReader reader(failure);
  for_each_record(failure, mapper, [&](std::string_view message) {
    auto& span = reader.read(message);
    if (!failure.failed() && !mapper.add(span)) failure.fail(kTooMuch, message.data());
  });
  return malformed(failure);
}

}  // namespace weir::ingest::otlp
