#include "report/status.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/json.h"
#include "base/priority.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/live_events.h"
#include "cli/named_run.h"
#include "cli/status_text.h"
#include "cli/usage.h"
#include "log/follower.h"
#include "report/status_board.h"

namespace weir::cli {
namespace {

using report::Status;
using report::StatusBoard;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct StatusOptions {
  bool json = false;
  std::optional<std::int64_t> watch;  // seconds
  std::optional<std::string> tenant;
};

constexpr std::int64_t kMaxWatchSeconds = 3600;

/// What a person sees of it but for what the time alone changes.
std::string seen_of(Status status) {
  status.at = {};
  for (auto& run : status.runs) {
    run.elapsed_ms = 0;
    run.last_event_at = {};
    run.progress = {};
    for (auto& node : run.at_work) node.elapsed_ms = 0;
  }
  return json::to_text(report::to_json(status));
}

void print_text(const Status& status, LineStyle style) {
  for (const auto& line : status_lines(status, style)) std::printf("%s\n", line.c_str());
}

int print_once(const StatusOptions& options, const log::StoreDirectory& store) {
  auto board = StatusBoard::read(store, options.tenant);
  if (!board) return complain(board.error());
  const auto status = board->status();
  if (!status) return complain(status.error());
  if (options.json) {
    std::printf("%s\n", json::to_pretty_text(report::to_json(*status)).c_str());
  } else {
    print_text(*status, style_of(stdout));
  }
  warn_of_damage(board->take_bad());
  return kDone;
}

/// Draws on a terminal again and again, in place. The screen from before comes back at the end.
class Screen {
 public:
  Screen() { std::fputs("\x1b[?1049h\x1b[?25l\x1b[2J", stdout); }
  ~Screen() {
    std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Each line over the one that is there: nothing is empty in between.
  static void draw(const Status& status) {
    auto style = style_of(stdout);
    style.width = std::max<std::size_t>(style.width, 2) - 1;  // some wrap after the last column
    auto lines = status_lines(status, style);
    const auto height = terminal_height(stdout);
    if (lines.size() > height) {
      lines.resize(height);
      lines.back() = "…";
    }
    std::string frame = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i)
      frame.append(i > 0 ? "\r\n" : "").append(lines[i]).append("\x1b[K");
    frame += "\x1b[J";
    std::fwrite(frame.data(), 1, frame.size(), stdout);
  }
};

/// Goes on with the events that come: the store is read once.
class Watch {
 public:
  Watch(const StatusOptions& options, StatusBoard& board, LiveEvents& events)
      : options_(options), board_(board), events_(events) {
    if (is_terminal(stdout) && !options.json) screen_.emplace();
  }

  Result<void> run(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { events_.wake(); });
    const std::chrono::seconds interval(options_.watch.value_or(1));
    while (!stop.stop_requested() && std::fflush(stdout) == 0) {
      WEIR_TRY(show());
      const auto next = steady_clock::now() + interval;
      for (auto now = steady_clock::now(); now < next && !stop.stop_requested();
           now = steady_clock::now()) {
        const auto wait = std::chrono::ceil<milliseconds>(next - now);
        const auto got = events_.next(
            wait, [this](const event::EventView& event, std::string_view) { board_.apply(event); });
        if (!got) return std::unexpected(got.error());
      }
      if (!screen_) events_.warn();
    }
    return {};
  }

 private:
  Result<void> show() {
    WEIR_TRY(const auto status, board_.status());
    if (screen_) return Screen::draw(status), Result<void>();
    auto seen = seen_of(status);
    if (seen == last_seen_) return {};
    const bool is_first = last_seen_.empty();
    last_seen_ = std::move(seen);
    if (options_.json) {
      std::printf("%s\n", json::to_text(report::to_json(status)).c_str());
    } else {
      if (!is_first) std::printf("\n");
      print_text(status, style_of(stdout));
    }
    return {};
  }

  const StatusOptions& options_;
  StatusBoard& board_;
  LiveEvents& events_;
  std::optional<Screen> screen_;
  std::string last_seen_;
};

int watch(const StatusOptions& options, const log::StoreDirectory& store) {
  const InterruptStop interrupt("");
  // Before the store is read, so that nothing comes in between; what is met twice is known.
  auto end = log::end_of_log(store);
  if (!end) return complain(end.error());
  auto board = StatusBoard::read(store, options.tenant);
  if (!board) return complain(board.error());
  const auto events = LiveEvents::open(store, *std::move(end));
  if (!events) return complain(events.error());
  Result<void> done;
  {
    Watch watch(options, *board, **events);
    done = watch.run(interrupt.token());
  }
  warn_of_damage(board->take_bad());
  (*events)->warn();
  return done ? kDone : complain(done.error());
}

int print_status(const StatusOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  set_thread_priority(Priority::kAsking);
  compact_when_due(*store);
  return options.watch ? watch(options, *store) : print_once(options, *store);
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<StatusOptions>();
  auto* command =
      app.add_subcommand("status", "Say what runs now, how far it is, and what waits for a person");
  command->add_flag("--json", options->json, "Print JSON");
  auto* watch = command->add_option(
      "--watch", options->watch, "Show it again after so many seconds, until Ctrl-C: 1 if absent");
  expect_number(watch, 1, kMaxWatchSeconds);
  watch->expected(0, 1)->default_str("1");
  add_whose(*command, "runs", options->tenant);
  command->footer("Example: weir status --watch");
  command->callback([&invocation, options, watch] {
    if (watch->count() > 0 && !options->watch) options->watch = 1;
    invocation.action = [&invocation, options] { return print_status(*options, invocation); };
  });
}

}  // namespace weir::cli
