#include "base/time.h"

#include <algorithm>
#include <concepts>

namespace weir {
namespace {

void put_digits(char* out, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

/// Reads exactly `digits` digits from the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return {};
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return {};
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

/// The number of so many digits at `at`; below 0: they are not all digits.
template <std::size_t kDigits>
int number_at(std::string_view text, std::size_t at) {
  int value = 0;
  bool is_good = true;
  for (std::size_t i = at; i < at + kDigits; ++i) {
    is_good = is_good && text[i] >= '0' && text[i] <= '9';
    value = value * 10 + (text[i] - '0');
  }
  return is_good ? value : -1;
}

template <std::same_as<char>... Chars>
bool take(std::string_view& text, Chars... any_of) {
  if (text.empty() || ((text.front() != any_of) && ...)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return std::chrono::microseconds(0);
  int value = 0, digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    if (digits++ < 6) value = value * 10 + (text.front() - '0');
  }
  if (digits == 0) return {};
  for (; digits < 6; ++digits) value *= 10;
  return std::chrono::microseconds(value);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z', 'z')) return std::chrono::minutes(0);
  const bool negative = !text.empty() && text.front() == '-';
  if (!take(text, '+', '-')) return {};
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ':')) return {};
  const auto minutes = take_digits(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return {};
  const auto offset = std::chrono::minutes(*hours * 60 + *minutes);
  return negative ? -offset : offset;
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

}  // namespace

void format_rfc3339(Timestamp time, char* out) {
  using namespace std::chrono;
  static constexpr Timestamp kFirst = sys_days(year(0) / 1 / 1);
  static constexpr Timestamp kLast = sys_days(year(10000) / 1 / 1) - microseconds(1);
  time = std::clamp(time, kFirst, kLast);
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto micros = static_cast<std::uint64_t>((time - day).count());
  const auto seconds = static_cast<unsigned>(micros / 1'000'000);
  put_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out[4] = '-';
  put_digits(out + 5, static_cast<unsigned>(date.month()), 2);
  out[7] = '-';
  put_digits(out + 8, static_cast<unsigned>(date.day()), 2);
  out[10] = 'T';
  put_digits(out + 11, seconds / 3600, 2);
  out[13] = ':';
  put_digits(out + 14, seconds / 60 % 60, 2);
  out[16] = ':';
  put_digits(out + 17, seconds % 60, 2);
  out[19] = '.';
  put_digits(out + 20, static_cast<unsigned>(micros % 1'000'000), 6);
  out[26] = 'Z';
}

std::string to_string(Timestamp time) {
  std::string text(kRfc3339Size, '\0');
  format_rfc3339(time, text.data());
  return text;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::size_t kSeconds = 19;  // 2026-01-31T23:59:59
  if (text.size() < kSeconds || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) {
    return {};
  }
  const int y = number_at<4>(text, 0), m = number_at<2>(text, 5), d = number_at<2>(text, 8);
  const int hour = number_at<2>(text, 11), minute = number_at<2>(text, 14);
  const int second = number_at<2>(text, 17);
  if ((y | m | d | hour | minute | second) < 0) return {};
  if (hour > 23 || minute > 59 || second > 60) return {};
  text.remove_prefix(kSeconds);
  const auto fraction = take_fraction(text);
  if (!fraction) return {};
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return {};
  const year_month_day date(year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d)));
  if (!date.ok()) return {};
  return Timestamp(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second) + *fraction -
         *offset;
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

double milliseconds_since(const Clock& clock, std::chrono::nanoseconds start) {
  return std::chrono::duration<double, std::milli>(clock.monotonic() - start).count();
}

}  // namespace weir
