// OTLP: whatever a request is, it is refused whole and nothing of it is taken, or each of its
// records becomes an event that the catalogue accepts, or is rejected. The first character says
// what the rest is: t, l, m for traces, logs and metrics in protobuf; T, L, M in JSON.

#include <string>
#include <string_view>

#include "event/decoder.h"
#include "ingest/otlp_request.h"

namespace weir::ingest::otlp {
namespace {

const Timestamp kArrived{std::chrono::seconds(1'770'000'000)};

Result<Rejections> take(char what, std::string_view body, LineMaker& lines) {
  const bool json = what >= 'A' && what <= 'Z';
  const auto encoding = json ? Encoding::kJson : Encoding::kProtobuf;
  switch (what | 0x20) {
    case 'l':
      return take_logs(body, encoding, kArrived, lines);
    case 'm':
      return take_metrics(body, encoding, kArrived, lines);
    default:
      return take_traces(body, encoding, kArrived, lines);
  }
}

void check(std::string_view input) {
  static const auto redactor = *event::Redactor::make({});
  if (input.empty()) return;
  const auto body = input.substr(1);
  LineMaker lines(redactor, "", "0123");
  const auto rejections = take(input.front(), body, lines);
  const auto made = *lines.take();
  if (!rejections) {
    WEIR_CHECK(rejections.error().code == ErrorCode::kInvalidInput);
    WEIR_CHECK(rejections.error().message.starts_with("byte "));
    WEIR_CHECK(made.size() == 0 && made.text.empty());
    return;
  }
  WEIR_CHECK(rejections->records == made.size() + rejections->count);
  WEIR_CHECK(rejections->named.size() <= rejections->count);
  event::Decoder decoder;
  for (std::size_t i = 0; i < made.size(); ++i) {
    auto line = made.line(i);
    WEIR_CHECK(line.ends_with('\n'));
    line.remove_suffix(1);
    WEIR_CHECK(!line.contains('\n'));
    WEIR_CHECK(decoder.decode(line));
  }
  LineMaker again(redactor, "", "0123");
  WEIR_CHECK(take(input.front(), body, again));
  WEIR_CHECK(again.take()->text == made.text);
}

}  // namespace
}  // namespace weir::ingest::otlp

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::ingest::otlp::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
