#include "report/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace weir::report {
namespace {

struct Scaled {
  double value;
  std::size_t step;
};

/// In the largest unit that leaves it at 1 or more, and below 1000 as it is printed.
Scaled scaled(double value, std::size_t steps) {
  std::size_t step = 0;
  while (std::abs(value) >= 999.5 && step + 1 < steps) {
    value /= 1000;
    ++step;
  }
  return {value, step};
}

std::string three_figures(double value) {
  std::array<char, 64> text{};
  const auto size = std::abs(value);
  const int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string printed = text.data();
  if (printed.contains('.')) {
    printed.erase(printed.find_last_not_of('0') + 1);
    if (printed.ends_with('.')) printed.pop_back();
  }
  return printed;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3) {
    text.insert(static_cast<std::size_t>(i), ",");
  }
  return text;
}

std::string bytes_text(double bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  const auto [value, step] = scaled(bytes, kUnits.size());
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), step == 0 || value >= 99.95 ? "%.0f" : "%.1f", value);
  return std::string(text.data()) + " " + kUnits[step];
}

std::string percent(double rate) {
  if (rate <= 0) return "0%";
  if (rate >= 1) return "100%";
  std::array<char, 32> text{};
  // Neither all nor nothing looks like it.
  std::snprintf(text.data(), text.size(), "%.1f%%", std::min(std::max(rate * 100, 0.1), 99.9));
  return text.data();
}

std::string short_number(double number) {
  static constexpr std::array kUnits = {"", " k", " M", " G", " T", " P"};
  if (!std::isfinite(number)) return "–";
  const auto [value, step] = scaled(number, kUnits.size());
  return three_figures(value) + kUnits[step];
}

std::string counted(std::uint64_t number, std::string_view noun) {
  return grouped(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string moment(Timestamp time) {
  auto text = to_string(time).substr(0, 19) + " UTC";
  text[10] = ' ';
  return text;
}

std::string date_of(Timestamp time) { return to_string(time).substr(0, 10); }

}  // namespace weir::report
