// Compressed bodies: never more than the limit comes out, whatever goes in, and what is compressed
// comes back as it was.

#include <zlib.h>

#include <string>

#include "base/compression.h"
#include "fuzz/input.h"

namespace weir {
namespace {

constexpr std::size_t kLimit = 4096;

std::string compressed(std::string_view text) {
  constexpr int kGzip = 15 + 16;
  z_stream stream{};
  WEIR_CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  WEIR_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void check_read(std::string_view bytes) {
  const auto text = gunzip(bytes, kLimit);
  if (text) return WEIR_CHECK(text->size() <= kLimit);
  const auto code = text.error().code;
  WEIR_CHECK(code == ErrorCode::kExhausted || code == ErrorCode::kCorrupt);
}

void check(std::string_view bytes) {
  check_read(bytes);
  fuzz::Input input(bytes);
  const auto cut = input.take<std::uint16_t>();
  const auto flip = input.take<std::uint16_t>();
  const auto text = input.text(bytes.size());
  auto packed = compressed(text);
  const auto back = gunzip(packed, kLimit);
  WEIR_CHECK(back ? *back == text : text.size() > kLimit);
  // Two of them, one after the other, are one.
  if (2 * text.size() <= kLimit) {
    WEIR_CHECK(gunzip(packed + packed, kLimit) == std::string(text) + std::string(text));
  }
  const auto shorter = packed.substr(0, cut % packed.size());
  const auto part = gunzip(shorter, kLimit);
  WEIR_CHECK(!part);
  packed[flip % packed.size()] = static_cast<char>(packed[flip % packed.size()] ^ (1 << flip % 8));
  check_read(packed);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
