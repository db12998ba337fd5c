#include "report/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "base/text.h"
#include "report/format.h"
#include "report/html.h"
#include "report/time_ticks.h"

namespace weir::report {
namespace {

// Of the drawing, in its own units: about a pixel each where it is as wide as half a page.
constexpr double kPlotWidth = 540;
constexpr double kPlotHeight = 236;
constexpr double kLeft = 58;
constexpr double kRight = 14;
constexpr double kTop = 34;
constexpr double kBottom = 34;
constexpr double kInnerWidth = kPlotWidth - kLeft - kRight;
constexpr double kInnerHeight = kPlotHeight - kTop - kBottom;
constexpr double kBase = kPlotHeight - kBottom;

std::string svg_number(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  const std::string printed = text.data();
  return printed.ends_with(".0") ? printed.substr(0, printed.size() - 2) : printed;
}

std::string_view class_of(Ink ink) {
  static constexpr std::string_view kClasses[] = {"good", "bad", "warn", "open", "first", "second"};
  return kClasses[static_cast<std::size_t>(ink)];
}

enum class Anchor : std::uint8_t { kStart, kMiddle, kEnd };

std::string svg_text(double x, double y, Anchor anchor, std::string_view text,
                     std::string_view css = "tick") {
  static constexpr std::string_view kAnchors[] = {"start", "middle", "end"};
  return R"(<text class=")" + std::string(css) + R"(" x=")" + svg_number(x) + R"(" y=")" +
         svg_number(y) + R"(" text-anchor=")" +
         std::string(kAnchors[static_cast<std::size_t>(anchor)]) + "\">" + escape_html(text) +
         "</text>";
}

std::string rule_line(double x1, double y1, double x2, double y2, std::string_view css) {
  return R"(<line class=")" + std::string(css) + R"(" x1=")" + svg_number(x1) + R"(" y1=")" +
         svg_number(y1) + R"(" x2=")" + svg_number(x2) + R"(" y2=")" + svg_number(y2) + "\"/>";
}

/// A bar with what it says to whoever points at it.
std::string svg_bar(double x, double y, double width, double height, Ink ink,
                    std::string_view says) {
  return R"(<rect class="fill )" + std::string(class_of(ink)) + R"(" x=")" + svg_number(x) +
         R"(" y=")" + svg_number(y) + R"(" width=")" + svg_number(std::max(width, 0.5)) +
         R"(" height=")" + svg_number(std::max(height, 0.5)) + "\"><title>" + escape_html(says) +
         "</title></rect>";
}

/// The frame of a plot: axes, their numbers and titles, and the legend.
class Frame {
 public:
  Frame(const ValueAxis& y, double most)
      : axis_(y),
        ticks_(y.is_duration ? duration_ticks(most) : round_ticks(most, y.is_whole)),
        top_value_(ticks_.back()) {
    for (const double tick : ticks_) {
      out_ += rule_line(kLeft, y_of(tick), kPlotWidth - kRight, y_of(tick),
                        tick == 0 ? "axis" : "grid");
      out_ += svg_text(kLeft - 8, y_of(tick) + 4, Anchor::kEnd, y.text(tick));
    }
    out_ += svg_text(0, 12, Anchor::kStart, y.title, "title");
  }

  [[nodiscard]] double y_of(double value) const {
    return kBase - kInnerHeight * std::clamp(value / top_value_, 0.0, 1.0);
  }
  void add(const std::string& element) { out_ += element; }

  void legend(const std::vector<PlotSeries>& series) {
    double x = kPlotWidth - kRight;
    for (auto one = series.rbegin(); one != series.rend(); ++one) {
      // The font is the reader's: a guess of its width is enough to stand apart.
      x -= 6.4 * static_cast<double>(one->name.size());
      out_ += svg_text(x, 12, Anchor::kStart, one->name, "legend");
      x -= 15;
      out_ += R"(<rect class="fill )" + std::string(class_of(one->ink)) + R"(" x=")" +
              svg_number(x) + R"(" y="3" width="10" height="10" rx="2"/>)";
      x -= 16;
    }
  }
  void time_axis(const TimeAxis& x) {
    if (x.from.empty()) return;
    const auto ticks = time_ticks(x.from.front(), x.from.back() + x.width);
    for (const auto& tick : ticks) {
      const double at = kLeft + kInnerWidth * tick.place;
      out_ += rule_line(at, kBase, at, kBase + 4, "axis");
      out_ += svg_text(at, kBase + 18, Anchor::kMiddle, tick.text);
    }
    out_ += svg_text(kPlotWidth - kRight, kPlotHeight - 2, Anchor::kEnd, "time, UTC", "title");
  }
  std::string finish(bool is_empty) {
    if (is_empty) {
      out_ += svg_text(kLeft + kInnerWidth / 2, kTop + kInnerHeight / 2, Anchor::kMiddle,
                       "nothing in this window", "legend");
    }
    return std::move(out_);
  }
  [[nodiscard]] std::string told(const PlotSeries& series, double value) const {
    return series.name + ": " + axis_.text(value);
  }

 private:
  const ValueAxis& axis_;
  std::vector<double> ticks_;
  double top_value_;
  std::string out_;
};

double value_at(const PlotSeries& series, std::size_t i) {
  return i < series.values.size() ? series.values[i].value_or(0) : 0;
}

double most_of(const std::vector<PlotSeries>& series) {
  double most = 0;
  for (const auto& one : series) {
    for (const auto& value : one.values) most = std::max(most, value.value_or(0));
  }
  return most;
}

/// Where a stretch begins, in the drawing.
double left_of(const TimeAxis& x, std::size_t i) {
  return kLeft + kInnerWidth * static_cast<double>(i) / static_cast<double>(x.from.size());
}

std::string begin_of(const TimeAxis& x, std::size_t i) { return moment(x.from[i]); }

/// As many as there are stretches.
std::vector<std::pair<double, double>> points_of(const TimeAxis& x, const PlotSeries& series,
                                                 const Frame& frame) {
  std::vector<std::pair<double, double>> points;
  const double half = kInnerWidth / static_cast<double>(x.from.size()) / 2;
  for (std::size_t i = 0; i < x.from.size() && i < series.values.size(); ++i) {
    if (const auto& value = series.values[i]) {
      points.emplace_back(left_of(x, i) + half, frame.y_of(*value));
    }
  }
  return points;
}

std::string path_of(const std::vector<std::pair<double, double>>& points, std::string_view css) {
  std::string path;
  for (const auto& [x, y] : points)
    path += (path.empty() ? "M" : "L") + svg_number(x) + " " + svg_number(y);
  return R"(<path class=")" + std::string(css) + R"(" d=")" + path + "\"/>";
}

}  // namespace

std::string svg_element(std::string_view title, std::string_view plot) {
  return R"(<svg class="plot" role="img" aria-label=")" + escape_html(title) +
         R"(" viewBox="0 0 )" + svg_number(kPlotWidth) + " " + svg_number(kPlotHeight) +
         R"(" xmlns="http://www.w3.org/2000/svg">)" + std::string(plot) + "</svg>";
}

std::string stacked_bars(const TimeAxis& x, const ValueAxis& y,
                         const std::vector<PlotSeries>& series) {
  double most = 0;
  for (std::size_t i = 0; i < x.from.size(); ++i) {
    double sum = 0;
    for (const auto& one : series) sum += value_at(one, i);
    most = std::max(most, sum);
  }
  Frame frame(y, most);
  frame.legend(series);
  frame.time_axis(x);
  for (std::size_t i = 0; i < x.from.size(); ++i) {
    const double width = left_of(x, i + 1) - left_of(x, i);
    const double gap = width > 4 ? std::min(width * 0.2, 4.0) : 0;
    double below = 0;
    for (const auto& one : series) {
      const double value = value_at(one, i);
      if (value <= 0) continue;
      const double bottom = frame.y_of(below), top = frame.y_of(below + value);
      frame.add(svg_bar(left_of(x, i) + gap / 2, top, width - gap, bottom - top, one.ink,
                        begin_of(x, i) + ", " + frame.told(one, value)));
      below += value;
    }
  }
  return frame.finish(most <= 0);
}

std::string lines(const TimeAxis& x, const ValueAxis& y, const std::vector<PlotSeries>& series) {
  const double most = most_of(series);
  Frame frame(y, most);
  frame.legend(series);
  frame.time_axis(x);
  bool is_empty = true;
  for (const auto& one : series) {
    const auto points = points_of(x, one, frame);
    is_empty = is_empty && points.empty();
    if (points.size() > 1) {
      frame.add(path_of(points, "line " + std::string(class_of(one.ink))));
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < x.from.size() && i < one.values.size(); ++i) {
      const auto& value = one.values[i];
      if (!value) continue;
      const auto& [at, height] = points[next++];
      frame.add(R"(<circle class="mark )" + std::string(class_of(one.ink)) + R"(" cx=")" +
                svg_number(at) + R"(" cy=")" + svg_number(height) + R"(" r="3"><title>)" +
                escape_html(begin_of(x, i) + ", " + frame.told(one, *value)) + "</title></circle>");
    }
  }
  return frame.finish(is_empty);
}

std::string steps(const TimeAxis& x, const ValueAxis& y, const std::vector<PlotSeries>& series) {
  const double most = most_of(series);
  Frame frame(y, most);
  frame.legend(series);
  frame.time_axis(x);
  for (const auto& one : series) {
    std::vector<std::pair<double, double>> corners;
    for (std::size_t i = 0; i < x.from.size(); ++i) {
      corners.emplace_back(left_of(x, i), frame.y_of(value_at(one, i)));
      corners.emplace_back(left_of(x, i + 1), frame.y_of(value_at(one, i)));
    }
    if (corners.empty()) continue;
    const auto ink = std::string(class_of(one.ink));
    auto area = corners;
    area.emplace_back(corners.back().first, kBase);
    area.emplace_back(corners.front().first, kBase);
    frame.add(path_of(area, "area " + ink));
    frame.add(path_of(corners, "line " + ink));
  }
  return frame.finish(most <= 0);
}

std::string histogram(const Histogram& data, const ValueAxis& y) {
  const double most = data.counts.empty() ? 0 : *std::ranges::max_element(data.counts);
  Frame frame(y, most);
  const auto count = static_cast<double>(std::max<std::size_t>(data.counts.size(), 1));
  const double width = kInnerWidth / count;
  for (std::size_t i = 0; i < data.counts.size(); ++i) {
    const double top = frame.y_of(data.counts[i]);
    if (data.counts[i] <= 0) continue;
    frame.add(svg_bar(kLeft + width * static_cast<double>(i) + 1, top, width - 2, kBase - top,
                      Ink::kFirst,
                      data.x_text(data.edges[i]) + " to " + data.x_text(data.edges[i + 1]) + ": " +
                          y.text(data.counts[i])));
  }
  // Every edge where they fit.
  const auto every = static_cast<std::size_t>(std::ceil(count / 7));
  for (std::size_t i = 0; i < data.edges.size() && !data.counts.empty(); i += every) {
    const double at = kLeft + width * static_cast<double>(i);
    frame.add(rule_line(at, kBase, at, kBase + 4, "axis"));
    frame.add(svg_text(at, kBase + 18, Anchor::kMiddle, data.x_text(data.edges[i])));
  }
  frame.add(svg_text(kPlotWidth - kRight, kPlotHeight - 2, Anchor::kEnd, data.x_title, "title"));
  return frame.finish(most <= 0);
}

std::string sparkline(const std::vector<std::optional<double>>& values) {
  static constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 0;
  for (const auto& value : values) most = std::max(most, value.value_or(0));
  std::string line;
  for (const auto& value : values) {
    if (!value || *value <= 0 || most <= 0) {
      line += value && *value <= 0 ? "·" : " ";
      continue;
    }
    const auto step = static_cast<std::size_t>(std::ceil(*value / most * std::size(kBlocks)));
    line += kBlocks[std::clamp<std::size_t>(step, 1, std::size(kBlocks)) - 1];
  }
  return line;
}

std::vector<double> round_ticks(double most, bool is_whole) {
  if (!(most > 0) || !std::isfinite(most)) return {0, 1};
  constexpr double kMostTicks = 5;
  const double raw = most / kMostTicks;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  if (is_whole) step = std::max(1.0, std::ceil(step - 1e-9));
  std::vector<double> ticks;
  for (int i = 0; ticks.empty() || ticks.back() < most * (1 - 1e-9); ++i) {
    ticks.push_back(step * i);
  }
  return ticks;
}

std::vector<double> duration_ticks(double most_ms) {
  // In a unit of its own each: 0, 15, 30 min and not 0, 16.7, 33.3.
  constexpr double kMinute = 60'000, kHour = 60 * kMinute;
  if (most_ms <= kMinute) return round_ticks(most_ms, false);
  constexpr double kSteps[] = {15'000,       30'000,       kMinute,      2 * kMinute, 5 * kMinute,
                               10 * kMinute, 15 * kMinute, 30 * kMinute, kHour,       2 * kHour,
                               6 * kHour,    12 * kHour,   24 * kHour};
  constexpr double kMostTicks = 5;
  for (const double step : kSteps) {
    if (step * kMostTicks < most_ms) continue;
    std::vector<double> ticks = {0};
    while (ticks.back() < most_ms) ticks.push_back(ticks.back() + step);
    return ticks;
  }
  auto days = round_ticks(most_ms / (24 * kHour), true);
  for (auto& tick : days) tick *= 24 * kHour;
  return days;
}

}  // namespace weir::report
