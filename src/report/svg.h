#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// Plots as the insides of SVG elements, which stand in a page and take its colours (html.h has
/// their classes).
namespace weir::report {

/// How a series looks: the colour of what it tells.
enum class Ink : std::uint8_t { kGood, kBad, kWarn, kOpen, kFirst, kSecond };

/// One value a place on the x axis; nothing: a gap.
struct PlotSeries {
  std::string name;
  Ink ink = Ink::kFirst;
  std::vector<std::optional<double>> values;
};

/// A number at an axis.
using AxisText = std::function<std::string(double)>;

/// Stretches of time of equal width, from left to right.
struct TimeAxis {
  std::vector<Timestamp> from{};
  std::chrono::microseconds width{};
};

struct ValueAxis {
  std::string title{};
  AxisText text{};
  bool is_whole = false;     ///< no ticks between whole numbers
  bool is_duration = false;  ///< of milliseconds: ticks at whole seconds, minutes and hours
};

/// A bar a stretch, its series upon each other.
[[nodiscard]] std::string stacked_bars(const TimeAxis& x, const ValueAxis& y,
                                       const std::vector<PlotSeries>& series);
/// A line a series, with a mark at each value.
[[nodiscard]] std::string lines(const TimeAxis& x, const ValueAxis& y,
                                const std::vector<PlotSeries>& series);
/// The same in steps, filled to the axis.
[[nodiscard]] std::string steps(const TimeAxis& x, const ValueAxis& y,
                                const std::vector<PlotSeries>& series);

/// Bars side by side; `edges` has one number more than there are bars.
struct Histogram {
  std::vector<double> edges{};
  std::vector<double> counts{};
  std::string x_title{};
  AxisText x_text{};
};
[[nodiscard]] std::string histogram(const Histogram& data, const ValueAxis& y);

/// The element with such a plot in it. `title` is what is read out for it.
[[nodiscard]] std::string svg_element(std::string_view title, std::string_view plot);

/// "▁▂▅█" for values from 0 on; a gap is a space.
[[nodiscard]] std::string sparkline(const std::vector<std::optional<double>>& values);

/// Ticks from 0 to `most` or a little more, at most six, at round numbers.
[[nodiscard]] std::vector<double> round_ticks(double most, bool is_whole);
/// The same for milliseconds: round in the unit that they are told in.
[[nodiscard]] std::vector<double> duration_ticks(double most_ms);

}  // namespace weir::report
