// The small text functions: UTF-8 against a table, RFC 3339 through and back, words for people.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "fuzz/utf8_reference.h"

namespace weir {
namespace {

std::optional<std::size_t> first_invalid_reference(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto size = fuzz::utf8_sequence(text.substr(i));
    if (size == 0) return i;
    i += size;
  }
  return {};
}

void check_utf8(std::string_view text, std::size_t limit) {
  const auto invalid = utf8::first_invalid(text);
  WEIR_CHECK(invalid == first_invalid_reference(text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    WEIR_CHECK(utf8::sequence_length(text.substr(i)) == fuzz::utf8_sequence(text.substr(i)));
  }
  const auto cut = utf8::cut(text, limit);
  WEIR_CHECK(text.starts_with(cut) && cut.size() <= limit);
  if (invalid) return;
  std::size_t longest = 0;  // the last boundary within the limit
  while (longest < text.size() && longest + fuzz::utf8_sequence(text.substr(longest)) <= limit) {
    longest += fuzz::utf8_sequence(text.substr(longest));
  }
  WEIR_CHECK(cut.size() == longest);
}

int number(std::string_view text, std::size_t at, std::size_t size) {
  return std::stoi(std::string(text.substr(at, size)));
}

/// Microseconds since 1970 of a date-time that is known to be well formed: every part but the
/// fraction has its place, from the front or from the back.
std::int64_t microseconds_reference(std::string_view text) {
  const int month = number(text, 5, 2);
  const std::int64_t year = number(text, 0, 4) - (month <= 2 ? 1 : 0) + 400;  // not negative
  // Days since 1 March of the year -400 by the Gregorian rule, which repeats after 400 years.
  const auto day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + number(text, 8, 2) - 1;
  constexpr std::int64_t kDaysTo1970 = 719'468 + 146'097;
  const auto days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - kDaysTo1970;
  auto minutes = days * 1440 + number(text, 11, 2) * 60 + number(text, 14, 2);
  if (text.back() != 'Z' && text.back() != 'z') {
    const auto offset = number(text, text.size() - 5, 2) * 60 + number(text, text.size() - 2, 2);
    minutes += text[text.size() - 6] == '-' ? offset : -offset;
  }
  std::string fraction = text[19] == '.' ? std::string(text.substr(20, 6)) : "";
  fraction.resize(std::min(fraction.find_first_not_of("0123456789"), fraction.size()));
  fraction.resize(6, '0');
  return (minutes * 60 + number(text, 17, 2)) * 1'000'000 + std::stoi(fraction);
}

void check_time(std::string_view text) {
  const auto time = parse_rfc3339(text);
  if (!time) return;
  WEIR_CHECK(time->time_since_epoch().count() == microseconds_reference(text));
  const auto written = to_string(*time);
  WEIR_CHECK(written.size() == kRfc3339Size);
  const auto again = parse_rfc3339(written);
  WEIR_CHECK(again && to_string(*again) == written);
  // An offset can lead out of the years that can be written; those are clamped.
  using namespace std::chrono;
  const bool writable = *time >= Timestamp(sys_days(year(0) / 1 / 1)) &&
                        *time < Timestamp(sys_days(year(10000) / 1 / 1));
  WEIR_CHECK((*again == *time) == writable);
}

std::string base64_decoded(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  WEIR_CHECK(text.size() % 4 == 0);
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const auto digit = kAlphabet.find(c);
    WEIR_CHECK(digit != std::string_view::npos);
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((held += 6) < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xFF);
  }
  return bytes;
}

void check_duration(std::string_view text) {
  double milliseconds = 0;
  if (text.size() < sizeof milliseconds) return;
  std::memcpy(&milliseconds, text.data(), sizeof milliseconds);
  const auto words = text::duration(milliseconds);
  // Events hold any number as duration_ms. Of one from zero on, every part is a number from zero
  // on.
  if (std::isfinite(milliseconds) && !std::signbit(milliseconds)) {
    WEIR_CHECK(!words.contains('-'));
  }
}

void check_suggestion(std::string_view text) {
  const auto middle = text.size() / 2;
  const std::string candidates[] = {std::string(text.substr(middle)), "query"};
  const auto suggestion = text::did_you_mean(text.substr(0, middle), candidates);
  WEIR_CHECK(suggestion.empty() || suggestion.contains("'" + candidates[0] + "'") ||
             suggestion.contains("'query'"));
}

void check(std::string_view text) {
  check_utf8(text, text.empty() ? 0 : static_cast<unsigned char>(text[0]));
  check_time(text);
  WEIR_CHECK(base64_decoded(text::base64(text)) == text);
  check_duration(text);
  check_suggestion(text);
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
