#pragma once

#include <string>

#include "base/json.h"

namespace weir::ingest::otlp::testing_support {

enum class Signal : std::uint8_t { kTraces, kLogs, kMetrics };

/// The request in protobuf that says what `json` says, a request in JSON as opentelemetry-proto
/// has it: a table of the protocol's fields, which is no part of the code under test. Fields that
/// it does not know, and null, are left out.
[[nodiscard]] std::string protobuf_twin(Signal signal, const json::Value& json);

}  // namespace weir::ingest::otlp::testing_support
