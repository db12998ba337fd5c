#include "report/trace.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/run_list.h"
#include "cli/styled_line.h"
#include "cli/usage.h"
#include "log/run_lock.h"
#include "store/history.h"

namespace weir::cli {
namespace {

using report::Trace;
using report::TraceSpan;

struct TraceOptions {
  NamedRun run;
  std::size_t width = 0;  ///< 0: the terminal's
  bool all = false;
  bool json = false;
};

constexpr std::int64_t kLeastWidth = 40;
constexpr std::int64_t kMostWidth = 1000;
/// Of spans that are shown without --all.
constexpr std::size_t kMostSpans = 40;

double offset_ms(const Trace& trace, Timestamp time) {
  return std::chrono::duration<double, std::milli>(time - trace.spans.front().started_at).count();
}

class Waterfall {
 public:
  Waterfall(const Trace& trace, std::vector<std::size_t> places, LineStyle style)
      : trace_(trace), places_(std::move(places)), style_(style) {
    lay_out();
  }

  void print() const {
    print_head();
    for (const auto i : places_) print_span(trace_.spans[i]);
    print_rest();
  }

 private:
  void lay_out() {
    for (const auto i : places_) {
      const auto& span = trace_.spans[i];
      const auto detail = span.detail.empty() ? 0 : display_width(span.detail) + 2;
      name_width_ = std::max(name_width_, indent_of(span) + 2 + display_width(span.name) + detail);
      total_ms_ = std::max(total_ms_, offset_ms(trace_, span.started_at) + span.duration_ms);
    }
    name_width_ = std::min(name_width_, style_.width * 2 / 5);
    bar_begin_ = name_width_ + kDuration + 3;
    bar_width_ = std::max<std::size_t>(style_.width - std::min(style_.width, bar_begin_), 8);
  }

  static constexpr std::size_t kDuration = 11;

  static std::size_t indent_of(const TraceSpan& span) {
    constexpr std::size_t kDeepest = 12;  // deeper ones stand below each other
    return 2 * std::min(span.depth, kDeepest);
  }

  static Colour colour_of(const TraceSpan& span) {
    if (span.state == "completed") return Colour::kGreen;
    return span.state == "failed" || span.state == "lost" ? Colour::kRed : Colour::kYellow;
  }

  static std::string_view mark_of(const TraceSpan& span) {
    if (span.is_open()) return span.state == "lost" ? "?" : "▸";
    return span.state == "completed" ? "✓" : span.state == "failed" ? "✗" : "–";
  }

  void print_head() const {
    StyledLine line(style_);
    line.add(Colour::kGrey,
             "run " + trace_.run_id.text() + ", " + text::count(trace_.spans.size(), "span"));
    end(line);
    const auto total = text::duration(total_ms_);
    StyledLine ruler(style_);
    ruler.add(Colour::kGrey, cut("━ critical path", name_width_));
    ruler.to_column(bar_begin_).add(Colour::kGrey, "0");
    ruler.to_column(bar_begin_ + bar_width_ - std::min(bar_width_, display_width(total)));
    end(ruler.add(Colour::kGrey, total));
  }

  void print_span(const TraceSpan& span) const {
    StyledLine line(style_);
    line.to_column(indent_of(span)).add(colour_of(span), mark_of(span)).add(" ");
    const auto room = name_width_ - std::min(name_width_, line.used());
    const auto name = cut(text::printable(span.name), room);
    span.depth == 0 ? line.add(Colour::kBold, name) : line.add(name);
    const auto left = room - display_width(name);
    if (!span.detail.empty() && left > 4)
      line.add("  ").add(Colour::kGrey, cut(text::printable(span.detail), left - 2));
    line.to_column(name_width_ + 1).add(pad_left(text::duration(span.duration_ms), kDuration));
    line.to_column(bar_begin_ + begin_of(span)).add(colour_of(span), bar_of(span));
    end(line);
    if (span.error.empty()) return;
    StyledLine error(style_);
    error.to_column(indent_of(span) + 2).add(Colour::kRed, span.error);
    end(error);
  }

  [[nodiscard]] std::size_t begin_of(const TraceSpan& span) const {
    const auto width = static_cast<double>(bar_width_);
    const auto begin = std::floor(offset_ms(trace_, span.started_at) * scale());
    return static_cast<std::size_t>(std::clamp(begin, 0.0, width - 1));
  }

  /// One column at least. What is open ends with an arrow.
  [[nodiscard]] std::string bar_of(const TraceSpan& span) const {
    const auto room = bar_width_ - begin_of(span);
    const auto wanted =
        static_cast<std::size_t>(std::max(1.0, std::round(span.duration_ms * scale())));
    std::string bar;
    for (std::size_t i = 0; i < std::min(wanted, room); ++i) bar += span.is_critical ? "━" : "─";
    if (span.is_open())
      bar.replace(bar.size() - std::string_view("━").size(), std::string::npos, "▸");
    return bar;
  }

  [[nodiscard]] double scale() const {
    return total_ms_ > 0 ? static_cast<double>(bar_width_) / total_ms_ : 0;
  }

  void print_rest() const {
    if (places_.size() == trace_.spans.size()) return;
    double longest = 0;
    std::size_t next = 0;
    for (std::size_t i = 0; i < trace_.spans.size(); ++i) {
      if (next < places_.size() && places_[next] == i) {
        ++next;
      } else {
        longest = std::max(longest, trace_.spans[i].duration_ms);
      }
    }
    const auto hidden = trace_.spans.size() - places_.size();
    StyledLine line(style_);
    line.add(Colour::kGrey, "  … and " + std::to_string(hidden) + " more, none over " +
                                text::duration(longest) + ": --all shows them");
    end(line);
  }

  static void end(StyledLine& line) { std::printf("%s\n", std::move(line).text().c_str()); }

  const Trace& trace_;
  const std::vector<std::size_t> places_;
  const LineStyle style_;
  std::size_t name_width_ = 0;
  std::size_t bar_begin_ = 0;
  std::size_t bar_width_ = 0;
  double total_ms_ = 0;
};

int print_trace(const TraceOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run = find_run(*store, options.run);
  if (!run) return complain_of_name(run.error());
  // Before the events are read: who leaves afterwards has committed the end.
  const bool is_owned = log::RunLock::is_held(*store, run->state.run_id);
  report::TraceFold fold;
  const auto read = store::read_run(*store, run->key(), [&fold](const event::EventView& event) {
    fold.apply(event);
    return Result<void>();
  });
  if (!read) return complain(read.error());
  const auto trace = fold.trace(is_owned, system_clock().now());
  if (options.json) {
    std::printf("%s\n", json::to_pretty_text(report::to_json(trace)).c_str());
    return kDone;
  }
  const auto most = options.all ? trace.spans.size() : kMostSpans;
  auto style = style_of(stdout);
  style.width = options.width > 0 ? options.width : terminal_width(stdout);
  Waterfall(trace, report::shown_spans(trace, most), style).print();
  return kDone;
}

}  // namespace

void add_trace(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<TraceOptions>();
  auto* command = app.add_subcommand(
      "trace",
      "Draw when a run's nodes, attempts and calls ran, and what decided how long it took");
  add_named_run(*command, options->run);
  expect_number(command->add_option("--width", options->width,
                                    "Columns of the drawing: the terminal's if absent"),
                kLeastWidth, kMostWidth);
  command->add_flag("--all", options->all, "Draw all spans of a long run");
  command->add_flag("--json", options->json, "Print the spans as JSON");
  command->footer("Example: weir trace last");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return print_trace(*options, invocation); };
  });
}

}  // namespace weir::cli
