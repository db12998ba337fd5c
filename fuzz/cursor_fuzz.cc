// Cursors: Cursor::parse takes what docs/formats/cursor.md says, read here one character after the
// other, and nothing else; and what it takes is written as it was read.

#include <charconv>
#include <cstdint>
#include <limits>

#include "base/hash.h"
#include "log/cursor.h"

namespace weir::log {
namespace {

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

/// A decimal without leading zeros, at most `most`.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > most) return {};
  if (text.front() == '0' && end != text.data() + 1) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<std::string> take_writer(std::string_view& text) {
  constexpr std::size_t kDigits = 24;
  const auto writer = text.substr(0, kDigits);
  if (writer.size() < kDigits || writer.find_first_not_of("0123456789abcdef") != writer.npos) {
    return {};
  }
  text.remove_prefix(kDigits);
  return std::string(writer);
}

std::string checksum_member(std::string_view body) {
  std::string member = R"(,"crc32c":")";
  for (int shift = 28; shift >= 0; shift -= 4) {
    member += "0123456789abcdef"[crc32c(body) >> shift & 15];
  }
  return member + "\"}";
}

std::optional<Cursor> read_reference(const std::string_view line) {
  auto text = line;
  Cursor cursor;
  std::string last;
  if (!take(text, R"({"cursor":{)")) return {};
  while (!take(text, "}")) {
    if (!last.empty() && !take(text, ",")) return {};
    if (!take(text, "\"")) return {};
    const auto writer = take_writer(text);
    if (!writer || *writer <= last || !take(text, R"(":{"segment":)")) return {};
    const auto segment = take_number(text, std::numeric_limits<std::uint32_t>::max());
    if (!segment || *segment == 0 || !take(text, R"(,"offset":)")) return {};
    const auto offset = take_number(text, std::numeric_limits<std::int64_t>::max());
    if (!offset || !take(text, "}")) return {};
    cursor.positions[*writer] = {.segment = static_cast<std::uint32_t>(*segment),
                                 .offset = *offset};
    last = *writer;
  }
  if (take(text, R"(,"batches":)")) {
    const auto batches = take_number(text, std::numeric_limits<std::int64_t>::max());
    if (!batches || *batches == 0) return {};
    cursor.batches = *batches;
  }
  if (text != checksum_member(line.substr(0, line.size() - text.size()))) return {};
  return cursor;
}

/// Random bytes never hold a right checksum. So every second input gets one.
void check(std::string_view input) {
  if (input.empty()) return;
  std::string line(input.substr(1));
  if (input[0] % 2 != 0) line += checksum_member(line);

  const auto right = read_reference(line);
  const auto cursor = Cursor::parse(line);
  WEIR_CHECK(cursor.has_value() == right.has_value());
  if (!cursor) return WEIR_CHECK(cursor.error().code == ErrorCode::kCorrupt);
  WEIR_CHECK(*cursor == *right && cursor->text() == line);
}

}  // namespace
}  // namespace weir::log

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::log::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
