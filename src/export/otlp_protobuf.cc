#include <algorithm>
#include <bit>
#include <unordered_map>

#include "export/format.h"
#include "export/otlp.h"

namespace weir::exporting {
namespace {

using project::Span;
using project::SpanOrigin;

/// Spans that are written at once, which is what is in memory.
constexpr std::size_t kProtobufBatch = 512;

/// Writes a message of protocol buffers.
class ProtoMessage {
 public:
  void varint(std::uint32_t number, std::uint64_t value) {
    if (value != 0) always_varint(number, value);
  }
  void always_varint(std::uint32_t number, std::uint64_t value) {
    put(number << 3U);
    put(value);
  }
  void fixed64(std::uint32_t number, std::uint64_t value) {
    if (value != 0) always_fixed64(number, value);
  }
  void always_fixed64(std::uint32_t number, std::uint64_t value) {
    put(number << 3U | 1U);
    for (unsigned i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }
  void fixed32(std::uint32_t number, std::uint32_t value) {
    if (value == 0) return;
    put(number << 3U | 5U);
    for (unsigned i = 0; i < 4; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }
  void text(std::uint32_t number, std::string_view value) {
    if (!value.empty()) always_text(number, value);
  }
  void always_text(std::uint32_t number, std::string_view value) {
    put(number << 3U | 2U);
    put(value.size());
    bytes_ += value;
  }
  void message(std::uint32_t number, const ProtoMessage& value) {
    always_text(number, value.bytes_);
  }
  /// `hex` are the digits of bytes.
  void hex_bytes(std::uint32_t number, std::string_view hex) {
    std::string bytes;
    const auto digit = [](char c) {
      return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    };
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
      bytes += static_cast<char>(digit(hex[i]) << 4U | digit(hex[i + 1]));
    }
    text(number, bytes);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

ProtoMessage any_value(const json::Value& value);

ProtoMessage key_value(const json::Member& member) {
  ProtoMessage pair;
  pair.text(1, member.key);
  pair.message(2, any_value(member.value));
  return pair;
}

/// AnyValue: which member is set tells the type, so that it is written whatever the value.
ProtoMessage any_value(const json::Value& value) {
  ProtoMessage any;
  if (const auto* text = value.string()) {
    any.always_text(1, *text);
  } else if (const auto* boolean = value.boolean()) {
    any.always_varint(2, *boolean ? 1 : 0);
  } else if (const auto* integer = value.integer()) {
    any.always_varint(3, static_cast<std::uint64_t>(*integer));
  } else if (const auto* large = std::get_if<std::uint64_t>(&value.variant())) {
    any.always_text(1, std::to_string(*large));  // there is no number of that size
  } else if (const auto* number = std::get_if<double>(&value.variant())) {
    any.always_fixed64(4, std::bit_cast<std::uint64_t>(*number));
  } else if (const auto* array = value.array()) {
    ProtoMessage list;
    for (const auto& item : *array) list.message(1, any_value(item));
    any.message(5, list);
  } else if (const auto* object = value.object()) {
    ProtoMessage list;
    for (const auto& member : *object) list.message(1, key_value(member));
    any.message(6, list);
  }
  return any;
}

void put_attributes(ProtoMessage& to, std::uint32_t number, const json::Object& attributes) {
  for (const auto& member : attributes) to.message(number, key_value(member));
}

ProtoMessage event_message(const project::SpanEvent& event) {
  ProtoMessage message;
  message.fixed64(1, event.time_ns);
  message.text(2, event.name);
  put_attributes(message, 3, event.attributes);
  message.varint(4, event.dropped_attributes);
  return message;
}

ProtoMessage link_message(const project::SpanLink& link) {
  ProtoMessage message;
  message.hex_bytes(1, link.to.trace_id);
  message.hex_bytes(2, link.to.span_id);
  message.text(3, link.trace_state);
  put_attributes(message, 4, link.attributes);
  message.varint(5, link.dropped_attributes);
  message.fixed32(6, link.flags);
  return message;
}

ProtoMessage span_message(const Span& span) {
  ProtoMessage message;
  message.hex_bytes(1, span.context.trace_id);
  message.hex_bytes(2, span.context.span_id);
  message.text(3, span.trace_state);
  message.hex_bytes(4, span.parent_span_id);
  message.text(5, span.name);
  message.varint(6, static_cast<std::uint64_t>(span.kind));
  message.fixed64(7, span.start_ns);
  message.fixed64(8, span.end_ns);
  put_attributes(message, 9, span.attributes);
  message.varint(10, span.dropped_attributes);
  for (const auto& event : span.events) message.message(11, event_message(event));
  message.varint(12, span.dropped_events);
  for (const auto& link : span.links) message.message(13, link_message(link));
  message.varint(14, span.dropped_links);
  ProtoMessage status;
  status.text(2, span.status_message);
  status.varint(3, static_cast<std::uint64_t>(span.status));
  const bool says_status =
      span.status != project::SpanStatus::kUnset || !span.status_message.empty();
  if (says_status) message.message(15, status);
  message.fixed32(16, span.flags);
  return message;
}

ProtoMessage resource_spans(const SpansOfOrigin& group) {
  const auto& origin = *group.origin;
  ProtoMessage resource, scope, scope_spans, message;
  put_attributes(resource, 1, origin.resource);
  resource.varint(2, origin.dropped_resource_attributes);
  scope.text(1, origin.scope_name);
  scope.text(2, origin.scope_version);
  put_attributes(scope, 3, origin.scope_attributes);
  scope.varint(4, origin.dropped_scope_attributes);
  scope_spans.message(1, scope);
  for (const auto* span : group.spans) scope_spans.message(2, span_message(*span));
  scope_spans.text(3, origin.schema_url);
  message.message(1, resource);
  message.message(2, scope_spans);
  message.text(3, origin.resource_schema_url);
  return message;
}

class OtlpProtobuf final : public SpanFormatWriter {
 public:
  explicit OtlpProtobuf(WriteBytes write) : write_(std::move(write)) {}

 private:
  Result<void> put(Span&& span) override {
    spans_.push_back(std::move(span));
    return spans_.size() < kProtobufBatch ? Result<void>() : end_spans();
  }
  Result<void> end_spans() override {
    if (spans_.empty()) return {};
    auto written = write_(to_otlp_protobuf(spans_));
    spans_.clear();
    return written;
  }

  const WriteBytes write_;
  std::vector<Span> spans_;
};

}  // namespace

std::vector<SpansOfOrigin> by_origin(std::span<const Span> spans) {
  std::vector<SpansOfOrigin> groups;
  std::unordered_map<const SpanOrigin*, std::size_t> places;
  for (const auto& span : spans) {
    const auto [at, is_new] = places.try_emplace(span.origin.get(), groups.size());
    if (is_new) {
      // Of other systems each span says it anew.
      const auto same = std::ranges::find_if(
          groups, [&](const auto& group) { return *group.origin == *span.origin; });
      at->second = static_cast<std::size_t>(same - groups.begin());
      if (same == groups.end()) groups.push_back({.origin = span.origin.get(), .spans = {}});
    }
    groups[at->second].spans.push_back(&span);
  }
  return groups;
}

std::string to_otlp_protobuf(std::span<const Span> spans) {
  ProtoMessage request;
  for (const auto& group : by_origin(spans)) request.message(1, resource_spans(group));
  return request.take();
}

std::unique_ptr<FormatWriter> make_otlp_protobuf(WriteBytes write) {
  return std::make_unique<OtlpProtobuf>(std::move(write));
}

}  // namespace weir::exporting
