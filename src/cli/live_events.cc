#include "cli/live_events.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/command.h"
#include "cli/run_text.h"
#include "cli/usage.h"
#include "record/log_text.h"

namespace weir::cli {
namespace {

/// Of event::Level, in its order.
constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "fatal"};

}  // namespace

Result<std::unique_ptr<LiveEvents>> LiveEvents::open(const log::StoreDirectory& store,
                                                     log::Cursor from) {
  std::unique_ptr<LiveEvents> events(new LiveEvents(store));
  WEIR_TRY(auto follower,
           log::Follower::open(store, std::move(from),
                               [live = events.get()](const log::FollowProblem& problem) {
                                 live->bad_.push_back({live->store_.segment(problem.segment),
                                                       problem.offset, problem.reason});
                               },
                               {.open_parts = store::open_parts}));
  events->follower_ = std::make_unique<log::Follower>(std::move(follower));
  return events;
}

Result<bool> LiveEvents::next(std::chrono::milliseconds wait, const Handler& handle) {
  WEIR_TRY(const auto commit, follower_->next(wait));
  if (!commit) return false;
  auto offset = commit->begin;
  for (auto lines = commit->lines; !lines.empty();) {
    const auto line = lines.substr(0, lines.find('\n'));
    if (const auto event = decoder_.decode(line)) {
      handle(**event, line);
    } else {
      bad_.push_back({commit->is_of_parts ? store_.parts() : store_.segment(commit->segment),
                      offset, event.error().message});
    }
    lines.remove_prefix(line.size() + 1);
    offset += line.size() + 1;
  }
  return true;
}

void LiveEvents::warn() {
  if (!bad_.empty()) std::fflush(stdout);
  warn_of_damage(bad_);
  bad_.clear();
}

void follow(
    LiveEvents& events, const std::stop_token& stop,
    const std::function<bool(const event::EventView& event, std::string_view line)>& handle) {
  const std::stop_callback wake(stop, [&events] { events.wake(); });
  bool goes_on = true;
  while (goes_on && !stop.stop_requested() && std::fflush(stdout) == 0) {
    const auto got = events.next(std::chrono::hours(1),
                                 [&](const event::EventView& event, std::string_view line) {
                                   goes_on = goes_on && handle(event, line);
                                 });
    if (!got) complain(got.error());
    events.warn();
  }
}

void print_event(const event::EventView& event, std::string_view line, bool as_json) {
  const auto text = as_json
                        ? std::string(line)
                        : record::format_text(event, short_id(event.text(event::Field::kRunId)));
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void add_level(CLI::App& command, std::string& level) {
  expect_word(command.add_option("--level", level, "Only of this level and above"),
              {kLevels.begin(), kLevels.end()});
}

event::Level level_of(const std::string& word) {
  return static_cast<event::Level>(std::ranges::find(kLevels, word) - kLevels.begin());
}

bool is_at_least(const event::EventView& event, event::Level level) {
  const auto text = event.text(event::Field::kLevel);
  for (std::size_t i = 0; i < static_cast<std::size_t>(level); ++i) {
    if (text == event::to_string(static_cast<event::Level>(i))) return false;
  }
  return true;
}

}  // namespace weir::cli
