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

/// Of a field that a log record has besides its attributes and its body.
void read_log_field(const Reader& reader, LogRecord& record) {
  switch (reader.tag()) {
    case fixed64(1):
      record.time.count = reader.number();
      break;
    case varint(2):
      record.severity_number = reader.number32();
      break;
    case bytes(3):
      record.severity_text = reader.text();
      break;
    case varint(7):
      record.dropped_attributes = reader.number32();
      break;
    case fixed32(8):
      record.flags = reader.number32();
      break;
    case bytes(9):
      record.trace_id.set_bytes(reader.text(), Id::kTrace);
      break;
    case bytes(10):
      record.span_id.set_bytes(reader.text(), Id::kSpan);
      break;
    case fixed64(11):
      record.observed.count = reader.number();
      break;
    case bytes(12):
      record.event_name = reader.text();
      break;
    default:
      break;
  }
}

void read_log(std::string_view message, Failure& failure, LogRecord& record) {
  record.clear();
  for (Reader reader(message, failure); reader.next();) {
    if (reader.tag() == bytes(5)) {
      record.body_json.clear();
      record.body = put_any_value(reader.text(), failure, record.body_json, record.problem);
    } else if (reader.tag() == bytes(6)) {
      put_attribute(reader.text(), failure, record.attributes, record.problem);
    } else {
      read_log_field(reader, record);
    }
  }
}

}  // namespace

std::optional<Malformed> read_protobuf_logs(std::string_view body, Mapper& mapper) {
  Failure failure{.body = body};
  LogRecord record;
  for_each_record(failure, mapper, [&](std::string_view message) {
    read_log(message, failure, record);
    if (!failure.failed() && !mapper.add(record)) failure.fail(kTooMuch, message.data());
  });
  return malformed(failure);
}

}  // namespace weir::ingest::otlp
