#include "report/time_ticks.h"

#include <algorithm>
#include <array>

namespace weir::report {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr microseconds kWidths[] = {seconds(1),  seconds(2),  seconds(5), seconds(10), seconds(15),
                                    seconds(30), minutes(1),  minutes(2), minutes(5),  minutes(10),
                                    minutes(15), minutes(30), hours(1),   hours(2),    hours(3),
                                    hours(6),    hours(12),   days(1),    days(2),     days(7),
                                    days(14),    days(28),    days(91),   days(182),   days(364)};

std::string tick_text(Timestamp time, microseconds width) {
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const auto month = kMonths[static_cast<unsigned>(date.month()) - 1];
  if (width >= days(91)) return std::string(month) + " " + std::to_string(int(date.year()));
  if (time == day) return std::string(month) + " " + std::to_string(unsigned(date.day()));
  return to_string(time).substr(11, width < minutes(1) ? 8 : 5);
}

}  // namespace

microseconds round_width(Timestamp begin, Timestamp end, std::size_t most) {
  for (const auto width : kWidths) {
    if (width * most >= end - begin) return width;
  }
  const auto year = std::end(kWidths)[-1];
  return year * ((end - begin) / (year * most) + 1);
}

std::vector<TimeTick> time_ticks(Timestamp begin, Timestamp end) {
  std::vector<TimeTick> ticks;
  if (begin >= end) return ticks;
  constexpr std::size_t kMost = 6;  // widths between; one tick more
  const auto width = round_width(begin, end, kMost);
  const auto length = static_cast<double>((end - begin).count());
  auto time = Timestamp(begin.time_since_epoch() / width * width);
  if (time < begin) time += width;
  for (; time <= end; time += width) {
    ticks.push_back({.place = static_cast<double>((time - begin).count()) / length,
                     .text = tick_text(time, width)});
  }
  return ticks;
}

}  // namespace weir::report
