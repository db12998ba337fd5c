#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/json.h"

namespace weir::project {

/// A span's place in the world, as W3C has it: 32 and 16 lower-case hex digits.
struct SpanContext {
  std::string trace_id;
  std::string span_id;
  bool operator==(const SpanContext&) const = default;
};

/// Numbers as in OTLP.
enum class SpanKind : std::uint8_t {
  kUnspecified,
  kInternal,
  kServer,
  kClient,
  kProducer,
  kConsumer
};
/// "internal", …; empty for kUnspecified.
[[nodiscard]] std::string_view to_string(SpanKind kind);

/// Numbers as in OTLP.
enum class SpanStatus : std::uint8_t { kUnset, kOk, kError };

/// Something that happened within a span.
struct SpanEvent {
  std::uint64_t time_ns = 0;
  std::string name;
  json::Object attributes;
  std::uint32_t dropped_attributes = 0;
  bool operator==(const SpanEvent&) const = default;
};

/// Another span that it has to do with: the attempt before it, the run that it repeats.
struct SpanLink {
  SpanContext to;
  std::string trace_state{};
  json::Object attributes{};
  std::uint32_t dropped_attributes = 0;
  std::uint32_t flags = 0;
  bool operator==(const SpanLink&) const = default;
};

/// Who speaks: OpenTelemetry's resource and scope.
struct SpanOrigin {
  json::Object resource;
  std::uint32_t dropped_resource_attributes = 0;
  std::string resource_schema_url;
  std::string scope_name;
  std::string scope_version;
  json::Object scope_attributes;
  std::uint32_t dropped_scope_attributes = 0;
  std::string schema_url;
  bool operator==(const SpanOrigin&) const = default;
};

/// Timed work in the terms of OpenTelemetry. Times are nanoseconds since 1970.
struct Span {
  RunId run_id;
  std::string pipeline_id;
  SpanContext context;
  std::string parent_span_id;  ///< empty: it is a root
  std::string trace_state;
  std::uint32_t flags = 0;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;  ///< 0: it is open
  SpanStatus status = SpanStatus::kUnset;
  std::string status_message;
  json::Object attributes;
  std::vector<SpanEvent> events;
  std::vector<SpanLink> links;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
  std::shared_ptr<const SpanOrigin> origin;  ///< never null
  /// Spans of a run that overlap and are not within each other are in different lanes: 0 is the
  /// run's. Of spans of other systems, which tell of their end alone: kNoLane.
  std::uint32_t lane = 0;
  static constexpr std::uint32_t kNoLane = UINT32_MAX;

  [[nodiscard]] bool is_open() const { return end_ns == 0; }
};

/// Of OpenTelemetry's own limit.
inline constexpr std::size_t kMaxSpanEvents = 128;

}  // namespace weir::project
