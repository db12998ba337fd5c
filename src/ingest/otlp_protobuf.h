#pragma once

#include <string_view>

#include "ingest/otlp_decoders.h"
#include "ingest/protobuf.h"

/// What the protobuf decoders of all three signals have in common. Each function takes one message,
/// which is part of `failure.body`.
namespace weir::ingest::otlp {

/// An AnyValue: returned and put into `json`, nothing as null. `depth` is how many lists and maps
/// it is in.
Scalar put_any_value(std::string_view message, protobuf::Failure& failure, JsonText& json,
                     Problem& problem, int depth = 0);

/// A KeyValue as a member of `json`, and in `known` if it is. Returns its key.
std::string_view put_key_value(std::string_view message, protobuf::Failure& failure, JsonText& json,
                               KnownValues& known, Problem& problem);

/// A KeyValue as one of a record's own.
void put_attribute(std::string_view message, protobuf::Failure& failure, Attributes& attributes,
                   Problem& problem);

void read_resource(std::string_view message, protobuf::Failure& failure, Resource& resource);
void read_scope(std::string_view message, protobuf::Failure& failure, Scope& scope);

[[nodiscard]] inline std::optional<Malformed> malformed(const protobuf::Failure& failure) {
  if (!failure.failed()) return {};
  return Malformed{.what = failure.what, .offset = failure.offset};
}

/// Gives `each` every message of a repeated field.
template <class Each>
void for_each_message(std::string_view message, std::uint32_t number, protobuf::Failure& failure,
                      const Each& each) {
  for (protobuf::Reader reader(message, failure); !failure.failed() && reader.next();) {
    if (reader.tag() == protobuf::bytes(number)) each(reader.text());
  }
}

/// Goes through a request of any signal; the numbers are the same in all. Gives `each` every
/// record after the resource and the scope that it is of, wherever these stand: to look for them
/// first is to hop over the records, which costs little.
template <class Each>
void for_each_record(protobuf::Failure& failure, Mapper& mapper, const Each& each) {
  for_each_message(failure.body, 1, failure, [&](std::string_view of_resource) {
    auto& resource = mapper.clear_resource();
    for (protobuf::Reader reader(of_resource, failure); reader.next();) {
      if (reader.tag() == protobuf::bytes(1)) read_resource(reader.text(), failure, resource);
      if (reader.tag() == protobuf::bytes(3)) resource.schema_url = reader.text();
    }
    mapper.begin_resource();
    for_each_message(of_resource, 2, failure, [&](std::string_view of_scope) {
      auto& scope = mapper.clear_scope();
      for (protobuf::Reader reader(of_scope, failure); reader.next();) {
        if (reader.tag() == protobuf::bytes(1)) read_scope(reader.text(), failure, scope);
        if (reader.tag() == protobuf::bytes(3)) scope.schema_url = reader.text();
      }
      mapper.begin_scope();
      for_each_message(of_scope, 2, failure, each);
    });
  });
}

}  // namespace weir::ingest::otlp
