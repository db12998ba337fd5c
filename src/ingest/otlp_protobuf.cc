#include "ingest/otlp_protobuf.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::bytes;
using protobuf::Failure;
using protobuf::fixed64;
using protobuf::Reader;
using protobuf::varint;

/// Of a list or a map, `text` is its message.
Scalar read_any_value(std::string_view message, Failure& failure) {
  using Kind = Scalar::Kind;
  Scalar value;
  const auto set_text = [&value](Kind kind, std::string_view text) {
    value.kind = kind;
    value.text = text;
  };
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case bytes(1):
        set_text(Kind::kString, reader.text());
        break;
      case varint(2):
        value.kind = Kind::kBoolean;
        value.boolean = reader.number() != 0;
        break;
      case varint(3):
        value.kind = Kind::kInteger;
        value.integer = static_cast<std::int64_t>(reader.number());
        break;
      case fixed64(4):
        value.kind = Kind::kNumber;
        value.number = protobuf::as_double(reader.number());
        break;
      case bytes(5):
        set_text(Kind::kList, reader.text());
        break;
      case bytes(6):
        set_text(Kind::kMap, reader.text());
        break;
      case bytes(7):
        set_text(Kind::kBytes, reader.text());
        break;
      default:
        break;
    }
  }
  return value;
}

struct KeyValue {
  std::string_view key, value;
};

KeyValue read_key_value(std::string_view message, Failure& failure) {
  KeyValue read;
  for (Reader reader(message, failure); reader.next();) {
    if (reader.tag() == bytes(1)) read.key = reader.text();
    if (reader.tag() == bytes(2)) read.value = reader.text();
  }
  return read;
}

/// An ArrayValue or a KeyValueList.
void put_nested(const Scalar& nested, Failure& failure, JsonText& json, Problem& problem,
                int depth) {
  if (depth > kMaxValueDepth) {
    problem.set("an attribute has lists in lists over 64 levels deep");
    return json.null();
  }
  const bool is_map = nested.kind == Scalar::Kind::kMap;
  json.open(is_map ? '{' : '[');
  for_each_message(nested.text, 1, failure, [&](std::string_view item) {
    if (is_map) {
      const auto [key, value] = read_key_value(item, failure);
      json.key(key);
      item = value;
    }
    put_any_value(item, failure, json, problem, depth);
  });
  json.close(is_map ? '}' : ']');
}

}  // namespace

Scalar put_any_value(std::string_view message, Failure& failure, JsonText& json, Problem& problem,
                     int depth) {
  const auto value = read_any_value(message, failure);
  switch (value.kind) {
    case Scalar::Kind::kList:
    case Scalar::Kind::kMap:
      put_nested(value, failure, json, problem, depth + 1);
      break;
    case Scalar::Kind::kBytes:
      json.base64(value.text);
      break;
    default:
      put_scalar(json, value);
  }
  return value;
}

std::string_view put_key_value(std::string_view message, Failure& failure, JsonText& json,
                               KnownValues& known, Problem& problem) {
  const auto [key, value] = read_key_value(message, failure);
  json.key(key);
  const auto scalar = put_any_value(value, failure, json, problem);
  if (const auto which = find_known(key)) known.set(*which, scalar);
  return key;
}

void put_attribute(std::string_view message, Failure& failure, Attributes& attributes,
                   Problem& problem) {
  const auto before = attributes.json.size();
  const auto key = put_key_value(message, failure, attributes.json, attributes.known, problem);
  attributes.added(key, before);
}

void read_resource(std::string_view message, Failure& failure, Resource& resource) {
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case bytes(1):
        put_key_value(reader.text(), failure, resource.attributes, resource.known,
                      resource.problem);
        break;
      case varint(2):
        resource.dropped_attributes = reader.number32();
        break;
      default:
        break;
    }
  }
}

void read_scope(std::string_view message, Failure& failure, Scope& scope) {
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case bytes(1):
        scope.name = reader.text();
        break;
      case bytes(2):
        scope.version = reader.text();
        break;
      case bytes(3):
        put_key_value(reader.text(), failure, scope.attributes, scope.known, scope.problem);
        break;
      case varint(4):
        scope.dropped_attributes = reader.number32();
        break;
      default:
        break;
    }
  }
}

}  // namespace weir::ingest::otlp
