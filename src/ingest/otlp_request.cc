#include "ingest/otlp_request.h"

#include <algorithm>

#include "ingest/otlp_decoders.h"

namespace weir::ingest::otlp {
namespace {

/// What a byte of a request becomes, in protobuf. More room than is used costs nothing.
constexpr std::size_t kLineBytes = 5;
constexpr std::size_t kMaxExpected = std::size_t{32} << 20;

using Decoder = std::optional<Malformed> (*)(std::string_view, Mapper&);

Result<Rejections> take(event::Type type, Decoder decoder, std::string_view body, Timestamp arrived,
                        LineMaker& lines) {
  const auto before = lines.size();
  lines.expect(std::min(kLineBytes * body.size(), kMaxExpected));
  Mapper mapper(type, arrived, lines);
  const auto malformed = decoder(body, mapper);
  if (!malformed) return mapper.take_rejections();
  lines.cut_to(before);
  return fail(ErrorCode::kInvalidInput,
              "byte " + std::to_string(malformed->offset) + ": " + malformed->what);
}

}  // namespace

Result<Rejections> take_traces(std::string_view body, Encoding encoding, Timestamp arrived,
                               LineMaker& lines) {
  const bool is_json = encoding == Encoding::kJson;
  return take(event::Type::kSpan, is_json ? read_json_traces : read_protobuf_traces, body, arrived,
              lines);
}

Result<Rejections> take_logs(std::string_view body, Encoding encoding, Timestamp arrived,
                             LineMaker& lines) {
  const bool is_json = encoding == Encoding::kJson;
  return take(event::Type::kLog, is_json ? read_json_logs : read_protobuf_logs, body, arrived,
              lines);
}

Result<Rejections> take_metrics(std::string_view body, Encoding encoding, Timestamp arrived,
                                LineMaker& lines) {
  const bool is_json = encoding == Encoding::kJson;
  return take(event::Type::kMetric, is_json ? read_json_metrics : read_protobuf_metrics, body,
              arrived, lines);
}

}  // namespace weir::ingest::otlp
