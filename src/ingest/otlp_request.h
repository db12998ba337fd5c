#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "ingest/event_lines.h"
#include "ingest/rejections.h"

/// OTLP, the protocol of OpenTelemetry (opentelemetry.io/docs/specs/otlp, version 1.11): what a
/// request of it says as events. docs/reference/mapping.md says which field becomes what.
namespace weir::ingest::otlp {

enum class Encoding : std::uint8_t { kProtobuf, kJson };

/// Adds the spans of `body`, an ExportTraceServiceRequest, to `lines`, each as an event `span`.
/// `arrived` is the time of those that have none. A record that makes no event is rejected, and
/// costs none of the others. Errors: kInvalidInput when the body is malformed, saying at which of
/// its bytes; then nothing was added.
[[nodiscard]] Result<Rejections> take_traces(std::string_view body, Encoding encoding,
                                             Timestamp arrived, LineMaker& lines);
/// The same of an ExportLogsServiceRequest: each record is an event `log`.
[[nodiscard]] Result<Rejections> take_logs(std::string_view body, Encoding encoding,
                                           Timestamp arrived, LineMaker& lines);
/// The same of an ExportMetricsServiceRequest: each data point is an event `metric`.
[[nodiscard]] Result<Rejections> take_metrics(std::string_view body, Encoding encoding,
                                              Timestamp arrived, LineMaker& lines);

}  // namespace weir::ingest::otlp
