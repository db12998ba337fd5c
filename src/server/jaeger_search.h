#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/api.h"
#include "server/jaeger_query.h"
#include "server/jaeger_traces.h"

/// What the store has that clients of Jaeger ask for: traces are runs, and their spans are made of
/// events when somebody asks. Of a caller's tenant alone. Errors: those of `ask_store` and
/// store::read_runs.
namespace weir::server {

/// Pipelines, and services whose spans came over OTLP.
[[nodiscard]] Result<std::vector<std::string>> jaeger_services(const Api& api,
                                                               const Caller& caller);

struct Operation {
  std::string name;
  std::string kind;  ///< "server", …; empty: not told
};
[[nodiscard]] Result<std::vector<Operation>> jaeger_operations(const Api& api,
                                                               const std::string& service,
                                                               const Caller& caller);

/// The traces of an answer as text, with commas between.
struct FoundTraces {
  /// Of it and of what is being read for it: what needs more is refused.
  static constexpr std::size_t kMostBytes = std::size_t{128} << 20;

  std::string text;
  std::size_t count = 0;

  void add(const std::string& trace_id, JaegerTrace& trace) {
    if (count++ > 0) text += ',';
    text += trace.take(trace_id);
  }
};
/// The newest first, or those that are named in their order. Errors: kExhausted over
/// FoundTraces::kMostBytes, kUnavailable after half a minute.
[[nodiscard]] Result<FoundTraces> find_traces(const Api& api, const TraceQuery& query,
                                              JaegerVersion version, const Caller& caller);

/// Rows of who calls, who is called, and how often, in milliseconds since 1970.
[[nodiscard]] Result<Table> calls_between_services(const Api& api, std::int64_t since_ms,
                                                   std::int64_t until_ms, const Caller& caller);

}  // namespace weir::server
