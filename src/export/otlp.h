#pragma once

#include <span>
#include <string>
#include <vector>

#include "project/span.h"

/// Spans in the protocol of OpenTelemetry (opentelemetry-proto 1.11): a TracesData, which is also
/// an ExportTraceServiceRequest. Spans of one resource and scope stand together.
namespace weir::exporting {

/// Such messages one after the other are one of all their spans.
[[nodiscard]] std::string to_otlp_protobuf(std::span<const project::Span> spans);

/// One line without its end, as the specification of the protocol has JSON: ids in hex, numbers of
/// 64 bits in quotes.
[[nodiscard]] std::string to_otlp_json(std::span<const project::Span> spans);

/// Whom spans are of, each with its spans, in the order of their first ones.
struct SpansOfOrigin {
  const project::SpanOrigin* origin;
  std::vector<const project::Span*> spans;
};
[[nodiscard]] std::vector<SpansOfOrigin> by_origin(std::span<const project::Span> spans);

}  // namespace weir::exporting
