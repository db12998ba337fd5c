#pragma once

#include <optional>

#include "ingest/otlp_mapper.h"
#include "ingest/otlp_request.h"

/// The decoders that otlp_request.h chooses from: each gives the mapper every record of a body.
/// They return what is wrong with it as a whole, and at which of its bytes.
namespace weir::ingest::otlp {

/// Ends the reading of a request of which no more can be taken; LineMaker says so.
inline constexpr const char* kTooMuch = "more events than can be taken at once";

struct Malformed {
  std::string what;
  std::size_t offset = 0;
};

[[nodiscard]] std::optional<Malformed> read_protobuf_traces(std::string_view body, Mapper& mapper);
[[nodiscard]] std::optional<Malformed> read_protobuf_logs(std::string_view body, Mapper& mapper);
[[nodiscard]] std::optional<Malformed> read_protobuf_metrics(std::string_view body, Mapper& mapper);
[[nodiscard]] std::optional<Malformed> read_json_traces(std::string_view body, Mapper& mapper);
[[nodiscard]] std::optional<Malformed> read_json_logs(std::string_view body, Mapper& mapper);
[[nodiscard]] std::optional<Malformed> read_json_metrics(std::string_view body, Mapper& mapper);

}  // namespace weir::ingest::otlp
