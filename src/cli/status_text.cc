#include "cli/status_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "cli/run_text.h"

namespace weir::cli {
namespace {

using project::State;
using report::Activity;
using report::Happening;
using report::NodeAtWork;
using report::RunStatus;
using report::Status;

/// Of each list; the first ones are shown.
constexpr std::size_t kMostNodes = 8;
constexpr std::size_t kMostRuns = 12;
constexpr std::size_t kMostLost = 5;
constexpr std::size_t kMostEntries = 5;
constexpr std::size_t kMostRecent = 8;
constexpr std::size_t kMostNames = 5;

/// "08:33:26", or the day too when it is another one.
std::string time_text(Timestamp time, Timestamp now) {
  const auto text = to_string(time), today = to_string(now);
  constexpr std::size_t kDate = 10;
  const bool is_today = text.substr(0, kDate) == today.substr(0, kDate);
  return is_today ? text.substr(kDate + 1, 8)
                  : text.substr(0, kDate) + " " + text.substr(kDate + 1, 5);
}

std::string percent(double fraction) {
  return std::to_string(static_cast<int>(std::floor(100 * fraction))) + "%";
}

/// "a, b, c and 4 more"
std::string names(const std::vector<std::string>& ids) {
  const auto shown = std::min(ids.size(), kMostNames);
  auto text = text::join(std::span(ids).first(shown));
  if (ids.size() > shown) text += " and " + std::to_string(ids.size() - shown) + " more";
  return text;
}

/// "a → b → … → z"
std::string path_text(const std::vector<std::string>& path) {
  constexpr std::size_t kAtEachEnd = 3;
  std::vector<std::string> shown = path;
  if (path.size() > 2 * kAtEachEnd) {
    shown.assign(path.begin(), path.begin() + kAtEachEnd);
    shown.emplace_back("… " + std::to_string(path.size() - 2 * kAtEachEnd) + " more …");
    shown.insert(shown.end(), path.end() - kAtEachEnd, path.end());
  }
  return text::join(shown, " → ");
}

std::string bar(double fraction, std::size_t width) {
  const auto done = static_cast<std::size_t>(std::lround(fraction * static_cast<double>(width)));
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < done ? "━" : "─";
  return text;
}

/// As exactly as a guess deserves.
std::string rough(double milliseconds) {
  constexpr double kSecond = 1000, kMinute = 60 * kSecond;
  if (milliseconds < kMinute)
    return std::to_string(std::max(1L, std::lround(milliseconds / kSecond))) + " s";
  return text::duration(std::round(milliseconds / kMinute * 6) * kMinute / 6);
}

std::string left_text(const RunStatus& run) {
  const auto& progress = run.progress;
  if (run.is_lost()) return "";
  if (!progress.left_ms) return "time left not known";
  auto text = rough(*progress.left_ms) + " left";
  text = (progress.unknown.empty() ? "about " : "at least ") + text;
  if (progress.is_late) text += ", late";
  return text;
}

/// What it does, in a word.
std::string state_text(const RunStatus& run) {
  if (run.is_lost() || run.substatus.empty()) return run.state;
  if (run.substatus == "WAITING_APPROVAL") return "waits";
  std::string word = run.substatus;
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

class StatusText {
 public:
  StatusText(const Status& status, LineStyle style) : status_(status), style_(style) {}

  std::vector<std::string> lines() && {
    headline();
    add_runs();
    add_questions();
    add_notices("Alerts", Colour::kRed, status_.alerts);
    add_reviews();
    add_notices("Notifications", Colour::kYellow, status_.notifications);
    add_recent();
    return std::move(lines_);
  }

 private:
  void headline() {
    const auto going = status_.going();
    const auto lost = status_.runs.size() - going + status_.older_lost;
    auto text = going == 0   ? std::string("Nothing runs")
                : going == 1 ? std::string("1 run goes on")
                             : std::to_string(going) + " runs go on";
    if (lost > 0) text += ", " + std::to_string(lost) + (lost == 1 ? " was lost" : " were lost");
    if (const auto asked = status_.questions.size(); asked > 0) {
      text += ", " + text::count(asked, "question") + (asked == 1 ? " waits" : " wait") +
              " for an answer";
    }
    StyledLine line(style_);
    line.add(Colour::kBold, text);
    end(line.add("  ").add(Colour::kGrey, to_string(status_.at).substr(11, 8) + " UTC"));
  }

  void add_runs() {
    std::size_t going = 0, lost = 0;
    for (const auto& run : status_.runs) {
      if (run.is_lost() ? lost++ < kMostLost : going++ < kMostRuns) add_run(run);
    }
    if (going > kMostRuns) blank(), more(going - kMostRuns, "run goes on", "runs go on");
    const auto hidden = (lost > kMostLost ? lost - kMostLost : 0) + status_.older_lost;
    if (hidden > 0) {
      blank();
      more(hidden, "run was lost: weir runs lists it", "runs were lost: weir runs lists them");
    }
  }

  void add_run(const RunStatus& run) {
    blank();
    const auto colour = run.is_lost() ? Colour::kRed : Colour::kYellow;
    StyledLine head(style_);
    head.add(colour, run.is_lost() ? "✗" : run.state == "paused" ? "‖" : "▸").add(" ");
    head.add(Colour::kBold, run.pipeline_id).to_column(22).add(colour, state_text(run));
    head.to_column(34).add(pad_left(percent(run.progress.fraction), 4)).add("  ");
    constexpr std::size_t kBar = 12;
    head.add(Colour::kGreen, bar(run.progress.fraction, kBar)).add("  ").add(left_text(run));
    end(head);
    add_facts(run);
    add_nodes(run);
    const bool is_chain = run.progress.path.size() > 1 && !run.is_lost();
    if (is_chain) end(detail("ahead: ", path_text(run.progress.path)));
    if (!run.is_lost()) add_unknown(run.progress);
    for (const auto& signal : run.signals) {
      end(detail("signal ", signal.signal_type + " is " + std::string(to_string(signal.decision))));
    }
  }

  void add_unknown(const report::Progress& progress) {
    if (!progress.left_ms) {
      end(detail("no earlier run tells how long its nodes take", ""));
    } else if (!progress.unknown.empty()) {
      end(detail("no earlier run tells how long: ", names(progress.unknown)));
    }
  }

  void add_facts(const RunStatus& run) {
    const auto count = [&run](State state) { return run.nodes[static_cast<std::size_t>(state)]; };
    auto facts = std::to_string(count(State::kCompleted)) + " of " +
                 text::count(run.node_count, "node") + " done";
    if (count(State::kFailed) > 0)
      facts += ", " + std::to_string(count(State::kFailed)) + " failed";
    if (count(State::kSkipped) > 0)
      facts += ", " + std::to_string(count(State::kSkipped)) + " skipped";
    StyledLine line(style_);
    line.add(Colour::kGrey, "  " + run.run_id.text()).add("  ");
    if (run.is_lost()) {
      end(line.add(facts));
      end(detail("nothing since " + time_text(run.last_event_at, status_.at) + "; go on with it: ",
                 "weir resume " + std::string(short_id(run.run_id.text()))));
    } else {
      end(line.add(text::duration(run.elapsed_ms) + ", " + facts));
    }
  }

  void add_nodes(const RunStatus& run) {
    std::size_t id_width = 0, tool_width = 0;
    const auto shown = std::min(run.at_work.size(), kMostNodes);
    for (const auto& node : std::span(run.at_work).first(shown)) {
      id_width = std::max(id_width, display_width(node.node_id));
      tool_width = std::max(tool_width, display_width(node.tool));
    }
    constexpr std::size_t kWidest = 28;
    for (const auto& node : std::span(run.at_work).first(shown))
      add_node(node, std::min(id_width, kWidest), std::min(tool_width, kWidest), run.is_lost());
    if (run.at_work.size() > shown)
      more(run.at_work.size() - shown, "node runs or waits", "nodes run or wait", "    ");
  }

  void add_node(const NodeAtWork& node, std::size_t id_width, std::size_t tool_width,
                bool is_lost) {
    StyledLine line(style_);
    line.add("  ").add(Colour::kYellow, node.waits ? "↻" : "▸").add(" ");
    line.add(pad(cut(node.node_id, id_width), id_width)).add("  ");
    line.add(Colour::kGrey, pad(cut(node.tool, tool_width), tool_width));
    line.add("  since ").add(time_text(node.since, status_.at));
    if (is_lost) return end(line);
    line.add(pad_left(text::duration(node.elapsed_ms), 12));
    if (node.waits) {
      line.add(", waits for attempt " + std::to_string(node.attempt));
    } else {
      if (node.usual_ms) line.add(" of usually " + text::duration(*node.usual_ms));
      if (node.attempt > 1) line.add(", attempt " + std::to_string(node.attempt));
    }
    end(line);
  }

  void add_questions() {
    if (status_.questions.empty()) return;
    heading("Waits for an answer");
    for (const auto& question : shown_of(status_.questions, kMostEntries)) {
      const auto& asked = question.approval;
      StyledLine line(style_);
      line.add("  ").add(Colour::kYellow, "?").add(" ").add(Colour::kBold, asked.node_id);
      line.add(" of " + question.pipeline_id);
      line.add(Colour::kGrey, "  since " + time_text(asked.requested_at, status_.at)).add("  ");
      end(line.add(asked.message));
      const std::string id(short_id(question.run_id.text()));
      end(detail("  ", "weir approve " + id + " " + asked.node_id + ", or weir deny" +
                           (question.is_lost ? "; then weir resume " + id : "")));
    }
    more_than(status_.questions.size(), kMostEntries, "question", "questions");
  }

  void add_reviews() {
    if (status_.reviews.empty()) return;
    heading("Waits for a review");
    for (const auto& artifact : shown_of(status_.reviews, kMostEntries)) {
      StyledLine line(style_);
      line.add("  ").add(Colour::kGrey, time_text(artifact.at, status_.at)).add("  ");
      line.add(artifact.artifact_path);
      const auto& by = artifact.agent_id.empty() ? artifact.node_id : artifact.agent_id;
      if (!by.empty()) line.add(Colour::kGrey, "  by " + by + " of " + artifact.pipeline_id);
      end(line);
    }
    more_than(status_.reviews.size(), kMostEntries, "artifact", "artifacts");
  }

  void add_notices(std::string_view title, Colour colour, const std::vector<Happening>& notices) {
    if (notices.empty()) return;
    heading(title);
    for (const auto& notice : shown_of(notices, kMostEntries)) {
      StyledLine line(style_);
      const bool is_bad = notice.level == "ERROR" || notice.level == "FATAL";
      line.add("  ").add(Colour::kGrey, time_text(notice.at, status_.at)).add("  ");
      line.add(notice.level == "INFO" ? Colour::kGrey
               : is_bad               ? Colour::kRed
                                      : colour,
               notice.level == "INFO" ? "·" : "!");
      line.add(" ").add(notice.message);
      if (notice.pipeline_id != "weir") line.add(Colour::kGrey, "  " + notice.pipeline_id);
      const auto& run = notice.target_run_id.empty() ? notice.run_id : notice.target_run_id;
      const bool is_of_run = notice.pipeline_id != "weir" || !notice.target_run_id.empty();
      if (is_of_run) line.add(Colour::kGrey, "  run ").add(Colour::kGrey, short_id(run));
      end(line);
    }
    more_than(notices.size(), kMostEntries, "other", "others");
  }

  void add_recent() {
    std::vector<Activity> ended;  // what goes on is said of its run
    std::ranges::copy_if(status_.recent, std::back_inserter(ended),
                         [](const Activity& activity) { return activity.status != "in_progress"; });
    if (ended.empty()) return;
    heading("Lately");
    for (const auto& activity : shown_of(ended, kMostRecent)) add_activity(activity);
  }

  void add_activity(const Activity& activity) {
    const bool is_good = activity.status == "completed" || activity.status == "approved" ||
                         activity.status == "success";
    const bool is_bad = activity.status == "failed" || activity.status == "rejected" ||
                        activity.status == "denied" || activity.status == "failure";
    StyledLine line(style_);
    line.add("  ").add(Colour::kGrey, time_text(activity.at, status_.at)).add("  ");
    line.add(is_good  ? Colour::kGreen
             : is_bad ? Colour::kRed
                      : Colour::kYellow,
             is_good                            ? "✓"
             : is_bad                           ? "✗"
             : activity.status == "in_progress" ? "▸"
                                                : "–");
    line.add(" ");
    if (activity.who.empty()) {
      line.add(Colour::kBold, activity.pipeline_id);
    } else {
      line.add(activity.who).add(Colour::kGrey, " of " + activity.pipeline_id);
    }
    if (!activity.status.empty() && activity.status != "in_progress")
      line.add(" " + activity.status);
    if (activity.duration_ms)
      line.add(Colour::kGrey, " after " + text::duration(*activity.duration_ms));
    if (!activity.action.empty()) line.add("  ").add(Colour::kGrey, activity.action);
    if (!activity.artifact.empty() && !activity.action.ends_with(activity.artifact))
      line.add("  → " + activity.artifact);
    end(line);
  }

  template <class T>
  static std::span<const T> shown_of(const std::vector<T>& list, std::size_t most) {
    return std::span(list).first(std::min(list.size(), most));
  }

  [[nodiscard]] StyledLine detail(std::string_view name, std::string_view what) const {
    StyledLine line(style_);
    line.add("  ").add(Colour::kGrey, name).add(what);
    return line;
  }
  void heading(std::string_view title) {
    blank();
    end(StyledLine(style_).add(Colour::kBold, title));
  }
  void more_than(std::size_t count, std::size_t shown, std::string_view one,
                 std::string_view many) {
    if (count > shown) more(count - shown, one, many);
  }
  void more(std::size_t count, std::string_view one, std::string_view many,
            std::string_view indent = "  ") {
    const auto text = std::string(indent) + "… and " + std::to_string(count) + " more ";
    end(StyledLine(style_).add(Colour::kGrey, text + std::string(count == 1 ? one : many)));
  }
  void blank() { lines_.emplace_back(); }
  void end(StyledLine& line) { lines_.push_back(std::move(line).text()); }
  void end(StyledLine&& line) { lines_.push_back(std::move(line).text()); }

  const Status& status_;
  const LineStyle style_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> status_lines(const Status& status, LineStyle style) {
  return StatusText(status, style).lines();
}

}  // namespace weir::cli
