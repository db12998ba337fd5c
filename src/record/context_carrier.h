#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "record/context.h"

/// Contexts on their way into other processes: HTTP headers and environment variables.
///
/// What is read comes from outside. A traceparent that is missing, invalid or given twice begins a
/// new trace without a tracestate; an invalid tracestate, id or list is left out. Baggage and ids
/// do not depend on the trace.
namespace weir::record {

/// A header as it arrived; its name in any case.
struct Header {
  std::string_view name;
  std::string_view value;
};

/// By their names in lower case.
using Headers = std::map<std::string, std::string>;
using Variables = std::map<std::string, std::string>;

/// Of a tracestate that is sent: servers refuse longer headers. The standard wants 512 at least.
inline constexpr std::size_t kMaxSentTracestateBytes = 8192;
/// Of a list in an environment variable that is read.
inline constexpr std::size_t kMaxListBytes = std::size_t{64} << 10;

/// `traceparent`, `tracestate`, `baggage`, `x-baggage-KEY` for each key of the baggage, and
/// `x-correlation-id`, `x-pipeline-run-id`, `x-request-id`, `x-org-id`. The receiver's parent is
/// our span; a trace without one gets one made up, for a parent must not be zero. What is not known
/// or not an id (is_id) is left out.
[[nodiscard]] Headers to_headers(const TraceContext& context);
/// The sender's context: its span is span_id, ours is a `child_span` of it. Several headers of one
/// name are one, in their order (RFC 7230, section 3.2.2); of an id the first counts. `baggage`
/// goes before `x-baggage-KEY`, whose keys have no case.
[[nodiscard]] TraceContext from_headers(std::span<const Header> headers);
[[nodiscard]] TraceContext from_headers(const Headers& headers);

/// For a child process: TRACEPARENT, TRACESTATE, BAGGAGE (OpenTelemetry, "Environment Variables as
/// Context Propagation Carriers"), WEIR_…_ID of kCorrelationIdNames, WEIR_RUN_STARTED_AT and
/// WEIR_SESSION_STARTED_AT (RFC 3339), WEIR_EXTRA and WEIR_PREVIOUS_STEPS (JSON). All of them
/// always, empty where nothing is known: the child must not see what this process has inherited.
[[nodiscard]] Variables to_environment(const TraceContext& context);
/// The parent process' context. Empty variables are like missing ones.
[[nodiscard]] TraceContext from_environment(const Variables& variables);
/// What `from_environment` reads, out of this process' environment: before anything changes it.
[[nodiscard]] Variables process_environment();

}  // namespace weir::record
