#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/event_json.h"
#include "cli/interrupt.h"
#include "cli/live_events.h"
#include "cli/run_list.h"
#include "cli/styled_line.h"
#include "cli/usage.h"
#include "log/follower.h"
#include "log/run_lock.h"
#include "report/plan.h"
#include "store/history.h"

namespace weir::cli {
namespace {

using event::EventView;
using event::Field;
using event::Type;

struct LogsOptions {
  NamedRun run;
  std::string node;
  std::string level = "debug";
  std::string grep;
  std::string since;
  std::optional<std::size_t> last;
  bool follow = false;
  bool json = false;
};

/// All are held in memory until the run's last event is met.
constexpr std::int64_t kMaxLastLines = 1'000'000;

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

/// What an event says as a line of the run's log; nothing when it is none.
std::optional<std::string> message_of(const EventView& event) {
  switch (event.type()) {
    case Type::kLog:
      return std::string(event.text(Field::kMessage));
    case Type::kNodeFailed:
    case Type::kPipelineFailed:
    case Type::kToolFailed:
    case Type::kToolUndoFailed:
    case Type::kProviderCallFailed:
    case Type::kChildFailed: {
      std::string message(event.text(Field::kErrorType));
      if (!message.empty()) message += ": ";
      return message.append(event.text(Field::kErrorMessage));
    }
    default:
      return {};
  }
}

class Logs {
 public:
  Logs(const LogsOptions& options, std::optional<Timestamp> since, const project::RunState* known)
      : options_(options),
        level_(level_of(options.level)),
        needle_(options.grep),
        ignores_case_(lower(options.grep) == options.grep),
        since_(since),
        style_(style_of(stdout)) {
    if (known == nullptr) return;
    constexpr std::size_t kWidest = 24;
    for (const auto& node : known->nodes)
      node_width_ = std::clamp(display_width(node.node_id), node_width_, kWidest);
  }

  /// One that was taken before is passed over.
  void take(const EventView& event) {
    if (event.run_seq() <= last_seq_) return;
    last_seq_ = event.run_seq();
    state_.apply(event);
    if (!is_wanted(event)) return;
    auto text = options_.json ? json::to_text(event_json(event)) : text_of(event);
    if (!is_holding_) return print(text);
    held_.push_back(std::move(text));
    if (held_.size() > options_.last.value_or(0)) held_.pop_front();
  }

  /// Only the last ones are printed, when all have come.
  void hold() { is_holding_ = options_.last.has_value(); }
  void release() {
    for (const auto& text : held_) print(text);
    held_.clear();
    is_holding_ = false;
  }

  [[nodiscard]] const project::RunState& state() const { return state_; }

 private:
  [[nodiscard]] bool is_wanted(const EventView& event) const {
    if (since_ && event.timestamp() < *since_) return false;
    if (!is_at_least(event, level_)) return false;
    const auto node = event.text(Field::kNodeId);
    if (!options_.node.empty() && node != options_.node &&
        report::node_of_item(node) != options_.node) {
      return false;
    }
    const auto message = message_of(event);
    if (!message) return false;
    return (ignores_case_ ? lower(*message) : *message).find(needle_) != std::string::npos;
  }

  [[nodiscard]] std::string text_of(const EventView& event) const {
    const auto level = event.text(Field::kLevel);
    const bool is_error = level == "ERROR" || level == "FATAL";
    LineStyle style = style_;
    style.width = 0;  // a message is to be read whole
    StyledLine line(style);
    line.add(Colour::kGrey, to_string(event.timestamp()).substr(11, 12)).add("  ");
    line.add(pad(std::string(event.text(Field::kNodeId)), node_width_)).add("  ");
    const auto word = pad(std::string(level), 7);
    if (is_error) {
      line.add(Colour::kRed, word);
    } else if (level == "WARNING") {
      line.add(Colour::kYellow, word);
    } else {
      line.add(Colour::kGrey, word);
    }
    return std::move(line.add("  ").add(message_of(event).value_or(""))).text();
  }

  static void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }

  const LogsOptions& options_;
  const event::Level level_;
  const std::string needle_;
  const bool ignores_case_;
  const std::optional<Timestamp> since_;
  const LineStyle style_;
  std::size_t node_width_ = 0;
  std::int64_t last_seq_ = 0;
  project::RunState state_;
  bool is_holding_ = false;
  std::deque<std::string> held_;
};

void say_end(const project::RunState& run) {
  std::fflush(stdout);
  const auto how = run.is_finished() ? std::string(to_string(run.state)) : "lost its process";
  std::fprintf(stderr, "weir: %s %s%s%s\n", text::printable(run.pipeline_id).c_str(), how.c_str(),
               run.duration_ms ? " after " : "",
               run.duration_ms ? text::duration(*run.duration_ms).c_str() : "");
  if (!run.is_finished())
    std::fprintf(stderr, "weir: go on with it: weir resume %s\n", run.run_id.text().c_str());
}

/// Until the run has ended, has lost its process, or somebody has had enough.
void follow_run(const FollowedRun& run, const log::StoreDirectory& store, LiveEvents& events,
                Logs& logs, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [&events] { events.wake(); });
  const auto take = [&](const EventView& event, std::string_view) {
    if (run.has(event)) logs.take(event);
  };
  const bool has_owner = logs.state().pipeline_type != "external";
  while (!stop.stop_requested() && !logs.state().is_finished() && std::fflush(stdout) == 0) {
    // Asked before: an owner leaves when its last event is committed.
    const bool is_owned = log::RunLock::is_held(store, run.id);
    const auto got = events.next(std::chrono::seconds(1), take);
    if (!got) complain(got.error());
    events.warn();
    const bool came = got && *got;
    if (!came && has_owner && !is_owned && logs.state().events > 0) break;
  }
  if (!stop.stop_requested()) say_end(logs.state());
}

int print_logs(const LogsOptions& options, const Invocation& invocation) {
  const auto now = system_clock().now();
  const auto since = moment_of("--since", options.since, now);
  if (!since) {
    complain(since.error());
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run =
      find_followed_run(*store, options.run, options.follow ? Follow::kYes : Follow::kNo);
  if (!run) return complain_of_name(run.error());
  std::optional<InterruptStop> interrupt;
  auto end = Result<log::Cursor>();
  if (options.follow) {
    interrupt.emplace("");
    end = log::end_of_log(*store);  // before the run is read, so that nothing comes in between
    if (!end) return complain(end.error());
  }
  const auto& listed = run->listed;
  Logs logs(options, *since, listed ? &listed->state : nullptr);
  logs.hold();
  const auto read = store::read_run(*store, run->id, [&](const EventView& event) {
    if (run->has(event)) logs.take(event);
    return Result<void>();
  });
  if (!read) return complain(read.error());
  logs.release();
  if (!options.follow) return kDone;
  const auto events = LiveEvents::open(*store, *std::move(end));
  if (!events) return complain(events.error());
  follow_run(*run, *store, **events, logs, interrupt->token());
  return kDone;
}

}  // namespace

void add_logs(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<LogsOptions>();
  auto* command = app.add_subcommand(
      "logs", "Print what a run's nodes said, and what failed, in the order of time");
  add_named_run(*command, options->run);
  command->add_flag("-f,--follow", options->follow, "Go on until the run has ended, and say how");
  command->add_option("--node", options->node, "Only of this node, and of its items");
  add_level(*command, options->level);
  command->add_option("--grep", options->grep,
                      "Only messages with this text in them; in lower case, whatever their case");
  command->add_option("--since", options->since,
                      "Only of then on: 15m, 24h or 7d ago, 2026-01-05, today, … in UTC");
  expect_number(command->add_option("-n,--lines", options->last, "Only the last ones: so many"), 0,
                kMaxLastLines);
  command->add_flag("--json", options->json, "Print the lines of the log, which are JSON");
  command->footer("Example: weir logs last -f --level warning");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return print_logs(*options, invocation); };
  });
}

}  // namespace weir::cli
