#include "report/moment.h"

#include <charconv>
#include <string>

namespace weir::report {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::optional<Timestamp> ago(std::string_view text, Timestamp now) {
  constexpr std::int64_t kMost = 1'000'000'000;
  std::int64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr + 1 != end || number < 0 || number > kMost) return {};
  switch (*read.ptr) {
    case 's':
      return now - seconds(number);
    case 'm':
      return now - minutes(number);
    case 'h':
      return number > kMost / 100 ? std::nullopt : std::optional(now - hours(number));
    case 'd':
      return number > kMost / 10'000 ? std::nullopt : std::optional(now - days(number));
    case 'w':
      return number > kMost / 100'000 ? std::nullopt : std::optional(now - days(number * 7));
    default:
      return {};
  }
}

}  // namespace

std::optional<Timestamp> parse_moment(std::string_view text, Timestamp now) {
  const auto today = std::chrono::floor<days>(now);
  if (text == "now") return now;
  if (text == "today") return Timestamp(today);
  if (text == "yesterday") return Timestamp(today - days(1));
  if (const auto before = ago(text, now)) return before;
  constexpr std::size_t kDate = 10, kMinutes = 16, kSeconds = 19;
  std::string full(text);
  if (full.size() > kDate && full[kDate] == ' ') full[kDate] = 'T';
  if (full.size() == kDate) full += "T00:00";
  if (full.size() == kMinutes) full += ":00";
  if (full.size() == kSeconds) full += "Z";
  return parse_rfc3339(full);
}

}  // namespace weir::report
