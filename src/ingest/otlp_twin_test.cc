#include <charconv>
#include <limits>
#include <map>
#include <variant>

#include "ingest/otlp_twin_testing.h"
#include "ingest/protobuf_testing.h"

namespace weir::ingest::otlp::testing_support {
namespace {

using protobuf::testing_support::Message;

enum class Type : std::uint8_t {
  kText,
  kId,      // hexadecimal in JSON
  kBase64,  // in JSON
  kVarint,
  kZigzag,
  kFixed64,
  kFixed32,
  kDouble,
  kMessage,
  kPackedVarint,
  kPackedFixed64,
  kPackedDouble,
};

struct MessageType;

struct FieldType {
  std::uint32_t number;
  Type type;
  const MessageType* message = nullptr;
};

struct MessageType {
  std::map<std::string_view, FieldType> fields;
};

// opentelemetry-proto 1.11: common, resource, trace, logs, metrics.
extern const MessageType kAnyValue;
const MessageType kKeyValue{
    {{"key", {1, Type::kText}}, {"value", {2, Type::kMessage, &kAnyValue}}}};
const MessageType kArrayValue{{{"values", {1, Type::kMessage, &kAnyValue}}}};
const MessageType kKeyValueList{{{"values", {1, Type::kMessage, &kKeyValue}}}};
const MessageType kAnyValue{{{"stringValue", {1, Type::kText}},
                             {"boolValue", {2, Type::kVarint}},
                             {"intValue", {3, Type::kVarint}},
                             {"doubleValue", {4, Type::kDouble}},
                             {"arrayValue", {5, Type::kMessage, &kArrayValue}},
                             {"kvlistValue", {6, Type::kMessage, &kKeyValueList}},
                             {"bytesValue", {7, Type::kBase64}}}};
const MessageType kResource{{{"attributes", {1, Type::kMessage, &kKeyValue}},
                             {"droppedAttributesCount", {2, Type::kVarint}}}};
const MessageType kScope{{{"name", {1, Type::kText}},
                          {"version", {2, Type::kText}},
                          {"attributes", {3, Type::kMessage, &kKeyValue}},
                          {"droppedAttributesCount", {4, Type::kVarint}}}};
const MessageType kStatus{{{"message", {2, Type::kText}}, {"code", {3, Type::kVarint}}}};
const MessageType kEvent{{{"timeUnixNano", {1, Type::kFixed64}},
                          {"name", {2, Type::kText}},
                          {"attributes", {3, Type::kMessage, &kKeyValue}},
                          {"droppedAttributesCount", {4, Type::kVarint}}}};
const MessageType kLink{{{"traceId", {1, Type::kId}},
                         {"spanId", {2, Type::kId}},
                         {"traceState", {3, Type::kText}},
                         {"attributes", {4, Type::kMessage, &kKeyValue}},
                         {"droppedAttributesCount", {5, Type::kVarint}},
                         {"flags", {6, Type::kFixed32}}}};
const MessageType kSpan{{{"traceId", {1, Type::kId}},
                         {"spanId", {2, Type::kId}},
                         {"traceState", {3, Type::kText}},
                         {"parentSpanId", {4, Type::kId}},
                         {"name", {5, Type::kText}},
                         {"kind", {6, Type::kVarint}},
                         {"startTimeUnixNano", {7, Type::kFixed64}},
                         {"endTimeUnixNano", {8, Type::kFixed64}},
                         {"attributes", {9, Type::kMessage, &kKeyValue}},
                         {"droppedAttributesCount", {10, Type::kVarint}},
                         {"events", {11, Type::kMessage, &kEvent}},
                         {"droppedEventsCount", {12, Type::kVarint}},
                         {"links", {13, Type::kMessage, &kLink}},
                         {"droppedLinksCount", {14, Type::kVarint}},
                         {"status", {15, Type::kMessage, &kStatus}},
                         {"flags", {16, Type::kFixed32}}}};
const MessageType kLogRecord{{{"timeUnixNano", {1, Type::kFixed64}},
                              {"severityNumber", {2, Type::kVarint}},
                              {"severityText", {3, Type::kText}},
                              {"body", {5, Type::kMessage, &kAnyValue}},
                              {"attributes", {6, Type::kMessage, &kKeyValue}},
                              {"droppedAttributesCount", {7, Type::kVarint}},
                              {"flags", {8, Type::kFixed32}},
                              {"traceId", {9, Type::kId}},
                              {"spanId", {10, Type::kId}},
                              {"observedTimeUnixNano", {11, Type::kFixed64}},
                              {"eventName", {12, Type::kText}}}};
const MessageType kExemplar{{{"timeUnixNano", {2, Type::kFixed64}},
                             {"asDouble", {3, Type::kDouble}},
                             {"spanId", {4, Type::kId}},
                             {"traceId", {5, Type::kId}},
                             {"asInt", {6, Type::kFixed64}},
                             {"filteredAttributes", {7, Type::kMessage, &kKeyValue}}}};
const MessageType kNumberPoint{{{"startTimeUnixNano", {2, Type::kFixed64}},
                                {"timeUnixNano", {3, Type::kFixed64}},
                                {"asDouble", {4, Type::kDouble}},
                                {"exemplars", {5, Type::kMessage, &kExemplar}},
                                {"asInt", {6, Type::kFixed64}},
                                {"attributes", {7, Type::kMessage, &kKeyValue}},
                                {"flags", {8, Type::kVarint}}}};
const MessageType kHistogramPoint{{{"startTimeUnixNano", {2, Type::kFixed64}},
                                   {"timeUnixNano", {3, Type::kFixed64}},
                                   {"count", {4, Type::kFixed64}},
                                   {"sum", {5, Type::kDouble}},
                                   {"bucketCounts", {6, Type::kPackedFixed64}},
                                   {"explicitBounds", {7, Type::kPackedDouble}},
                                   {"exemplars", {8, Type::kMessage, &kExemplar}},
                                   {"attributes", {9, Type::kMessage, &kKeyValue}},
                                   {"flags", {10, Type::kVarint}},
                                   {"min", {11, Type::kDouble}},
                                   {"max", {12, Type::kDouble}}}};
const MessageType kBuckets{
    {{"offset", {1, Type::kZigzag}}, {"bucketCounts", {2, Type::kPackedVarint}}}};
const MessageType kExponentialPoint{{{"attributes", {1, Type::kMessage, &kKeyValue}},
                                     {"startTimeUnixNano", {2, Type::kFixed64}},
                                     {"timeUnixNano", {3, Type::kFixed64}},
                                     {"count", {4, Type::kFixed64}},
                                     {"sum", {5, Type::kDouble}},
                                     {"scale", {6, Type::kZigzag}},
                                     {"zeroCount", {7, Type::kFixed64}},
                                     {"positive", {8, Type::kMessage, &kBuckets}},
                                     {"negative", {9, Type::kMessage, &kBuckets}},
                                     {"flags", {10, Type::kVarint}},
                                     {"exemplars", {11, Type::kMessage, &kExemplar}},
                                     {"min", {12, Type::kDouble}},
                                     {"max", {13, Type::kDouble}},
                                     {"zeroThreshold", {14, Type::kDouble}}}};
const MessageType kQuantile{{{"quantile", {1, Type::kDouble}}, {"value", {2, Type::kDouble}}}};
const MessageType kSummaryPoint{{{"startTimeUnixNano", {2, Type::kFixed64}},
                                 {"timeUnixNano", {3, Type::kFixed64}},
                                 {"count", {4, Type::kFixed64}},
                                 {"sum", {5, Type::kDouble}},
                                 {"quantileValues", {6, Type::kMessage, &kQuantile}},
                                 {"attributes", {7, Type::kMessage, &kKeyValue}},
                                 {"flags", {8, Type::kVarint}}}};

MessageType data_of(const MessageType& point) {
  return {{{"dataPoints", {1, Type::kMessage, &point}},
           {"aggregationTemporality", {2, Type::kVarint}},
           {"isMonotonic", {3, Type::kVarint}}}};
}
const MessageType kNumbers = data_of(kNumberPoint), kHistogram = data_of(kHistogramPoint),
                  kExponential = data_of(kExponentialPoint), kSummary = data_of(kSummaryPoint);
const MessageType kMetric{{{"name", {1, Type::kText}},
                           {"description", {2, Type::kText}},
                           {"unit", {3, Type::kText}},
                           {"gauge", {5, Type::kMessage, &kNumbers}},
                           {"sum", {7, Type::kMessage, &kNumbers}},
                           {"histogram", {9, Type::kMessage, &kHistogram}},
                           {"exponentialHistogram", {10, Type::kMessage, &kExponential}},
                           {"summary", {11, Type::kMessage, &kSummary}},
                           {"metadata", {12, Type::kMessage, &kKeyValue}}}};

MessageType group_of(std::string_view head, const MessageType& its_type, std::string_view items,
                     const MessageType& item) {
  return {{{head, {1, Type::kMessage, &its_type}},
           {items, {2, Type::kMessage, &item}},
           {"schemaUrl", {3, Type::kText}}}};
}
const MessageType kScopeSpans = group_of("scope", kScope, "spans", kSpan),
                  kScopeLogs = group_of("scope", kScope, "logRecords", kLogRecord),
                  kScopeMetrics = group_of("scope", kScope, "metrics", kMetric),
                  kResourceSpans = group_of("resource", kResource, "scopeSpans", kScopeSpans),
                  kResourceLogs = group_of("resource", kResource, "scopeLogs", kScopeLogs),
                  kResourceMetrics = group_of("resource", kResource, "scopeMetrics", kScopeMetrics);
const MessageType kTracesRequest{{{"resourceSpans", {1, Type::kMessage, &kResourceSpans}}}},
    kLogsRequest{{{"resourceLogs", {1, Type::kMessage, &kResourceLogs}}}},
    kMetricsRequest{{{"resourceMetrics", {1, Type::kMessage, &kResourceMetrics}}}};

std::string unhex(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 2 <= text.size(); i += 2) {
    unsigned byte = 0;
    std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::string unbase64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0, count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    bits = bits << 6U | static_cast<std::uint32_t>(kAlphabet.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return bytes;
}

/// Of a number, a text that holds one, true, or a name.
std::uint64_t integer_of(const json::Value& value) {
  static const std::map<std::string_view, std::uint64_t> kNames = {
      {"AGGREGATION_TEMPORALITY_DELTA", 1},
      {"AGGREGATION_TEMPORALITY_CUMULATIVE", 2},
      {"SPAN_KIND_SERVER", 2},
      {"STATUS_CODE_ERROR", 2}};
  if (const auto* boolean = value.boolean()) return *boolean ? 1 : 0;
  if (const auto* integer = value.integer()) return static_cast<std::uint64_t>(*integer);
  if (const auto* large = std::get_if<std::uint64_t>(&value.variant())) return *large;
  if (const auto* number = std::get_if<double>(&value.variant())) {
    return static_cast<std::uint64_t>(*number);
  }
  const auto* text = value.string();
  if (text == nullptr) return 0;
  if (const auto name = kNames.find(*text); name != kNames.end()) return name->second;
  std::int64_t number = 0;
  std::uint64_t large = 0;
  const auto* const end = text->data() + text->size();
  if (std::from_chars(text->data(), end, number).ec == std::errc()) {
    return static_cast<std::uint64_t>(number);
  }
  std::from_chars(text->data(), end, large);
  return large;
}

double double_of(const json::Value& value) {
  if (const auto* number = std::get_if<double>(&value.variant())) return *number;
  if (const auto* integer = value.integer()) return static_cast<double>(*integer);
  constexpr auto kInfinity = std::numeric_limits<double>::infinity();
  const auto text = value.string() == nullptr ? std::string() : *value.string();
  return text == "Infinity"    ? kInfinity
         : text == "-Infinity" ? -kInfinity
                               : std::numeric_limits<double>::quiet_NaN();
}

std::string text_of(const json::Value& value) {
  return value.string() == nullptr ? std::string() : *value.string();
}

Message message_of(const MessageType& type, const json::Value& value);

std::string packed_of(Type type, const json::Value& list) {
  Message packed;
  if (list.array() == nullptr) return {};
  for (const auto& item : *list.array()) {
    if (type == Type::kPackedVarint) packed.put_varint(integer_of(item));
    if (type == Type::kPackedFixed64) packed.put_fixed(integer_of(item));
    if (type == Type::kPackedDouble) {
      packed.put_fixed(std::bit_cast<std::uint64_t>(double_of(item)));
    }
  }
  return packed.bytes();
}

void put(Message& message, const FieldType& field, const json::Value& value) {
  const auto number = field.number;
  switch (field.type) {
    case Type::kText:
      return static_cast<void>(message.text(number, text_of(value)));
    case Type::kId:
      return static_cast<void>(message.text(number, unhex(text_of(value))));
    case Type::kBase64:
      return static_cast<void>(message.text(number, unbase64(text_of(value))));
    case Type::kVarint:
      return static_cast<void>(message.varint(number, integer_of(value)));
    case Type::kZigzag: {
      const auto integer = static_cast<std::int64_t>(integer_of(value));
      const auto sign = static_cast<std::uint64_t>(integer >> 63);
      return static_cast<void>(
          message.varint(number, static_cast<std::uint64_t>(integer) << 1U ^ sign));
    }
    case Type::kFixed64:
      return static_cast<void>(message.fixed64(number, integer_of(value)));
    case Type::kFixed32:
      return static_cast<void>(
          message.fixed32(number, static_cast<std::uint32_t>(integer_of(value))));
    case Type::kDouble:
      return static_cast<void>(message.number(number, double_of(value)));
    case Type::kMessage:
      return static_cast<void>(message.message(number, message_of(*field.message, value)));
    case Type::kPackedVarint:
    case Type::kPackedFixed64:
    case Type::kPackedDouble:
      return static_cast<void>(message.text(number, packed_of(field.type, value)));
  }
}

Message message_of(const MessageType& type, const json::Value& value) {
  Message message;
  if (value.object() == nullptr) return message;
  for (const auto& member : *value.object()) {
    const auto field = type.fields.find(member.key);
    if (field == type.fields.end() || member.value.is_null()) continue;
    const bool repeated = field->second.type == Type::kMessage && member.value.array() != nullptr;
    if (!repeated) {
      put(message, field->second, member.value);
      continue;
    }
    for (const auto& item : *member.value.array()) put(message, field->second, item);
  }
  return message;
}

}  // namespace

std::string protobuf_twin(Signal signal, const json::Value& json) {
  const auto* whole = json.object();
  const auto* result = whole == nullptr ? nullptr : whole->find("result");
  const auto& type = signal == Signal::kTraces ? kTracesRequest
                     : signal == Signal::kLogs ? kLogsRequest
                                               : kMetricsRequest;
  return message_of(type, result == nullptr ? json : *result).bytes();
}

}  // namespace weir::ingest::otlp::testing_support
