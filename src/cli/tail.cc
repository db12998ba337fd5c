#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/live_events.h"
#include "cli/run_list.h"
#include "cli/usage.h"
#include "event/decoder.h"
#include "event/topic.h"
#include "log/follower.h"
#include "log/manifest.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct TailOptions {
  std::string topic = "#";
  NamedRun run;
  std::string level = "debug";
  std::size_t last = 20;
  bool follow = false;
  bool json = false;
};

/// All are held in memory until the end of the log is met.
constexpr std::int64_t kMaxLast = 100'000;

/// Which events are to be shown.
struct Wanted {
  event::TopicPattern topic;
  std::optional<FollowedRun> run;
  std::optional<std::string> tenant;
  event::Level level{};  // at least

  [[nodiscard]] bool has(const event::EventView& event, std::string& topic_buffer) const {
    if (run && !run->has(event)) return false;
    if (tenant && event.text(event::Field::kTenantId) != *tenant) return false;
    if (!is_at_least(event, level)) return false;
    event::write_topic(event, topic_buffer);
    return topic.matches(topic_buffer);
  }
};

class Tail {
 public:
  Tail(const log::StoreDirectory& store, const TailOptions& options, Wanted wanted)
      : store_(store), options_(options), wanted_(std::move(wanted)) {}

  /// Takes what is in parts; what then comes from the log may be newer.
  Result<void> take_parts(const log::Manifest& manifest) {
    const auto run = wanted_.run ? std::optional(wanted_.run->id) : std::nullopt;
    WEIR_TRY(const auto read, store::read_newest_of_parts(
                                  store_, manifest, run,
                                  [this](const event::EventView& event, std::string_view line) {
                                    if (wanted_.has(event, topic_))
                                      keep_before(event.timestamp(), line);
                                    return last_.size() < options_.last;
                                  }));
    warn_of_damage(read.bad);
    return {};
  }

  Result<void> print_last(LiveEvents& events) {
    bool is_more = true;
    while (is_more) {
      WEIR_TRY(is_more, events.next(std::chrono::milliseconds(0),
                                    [this](const event::EventView& event, std::string_view line) {
                                      if (wanted_.has(event, topic_)) keep(event.timestamp(), line);
                                    }));
    }
    event::Decoder decoder;
    for (const auto& [time, line] : last_) {
      if (const auto event = decoder.decode(line)) print_event(**event, line, options_.json);
    }
    last_.clear();
    events.warn();
    return {};
  }

  void print_live(LiveEvents& events, const std::stop_token& stop) {
    follow(events, stop, [this](const event::EventView& event, std::string_view line) {
      if (wanted_.has(event, topic_)) print_event(event, line, options_.json);
      return true;
    });
  }

 private:
  /// In the order of time; within an instant as they were read.
  void keep(Timestamp time, std::string_view line) {
    last_.emplace_hint(last_.upper_bound(time), time, line);
    if (last_.size() > options_.last) last_.erase(last_.begin());
  }
  /// One that was read before those that are kept, backwards.
  void keep_before(Timestamp time, std::string_view line) {
    last_.emplace_hint(last_.lower_bound(time), time, line);
  }

  const log::StoreDirectory& store_;
  const TailOptions& options_;
  const Wanted wanted_;
  std::string topic_;
  std::multimap<Timestamp, std::string> last_;
};

Result<std::optional<FollowedRun>> wanted_run(const TailOptions& options,
                                              const log::StoreDirectory& store) {
  if (options.run.name.empty()) return std::nullopt;
  return find_followed_run(store, options.run, options.follow ? Follow::kYes : Follow::kNo);
}

int tail(const TailOptions& options, const Invocation& invocation) {
  auto topic = event::TopicPattern::parse(options.topic);
  if (!topic) {
    complain(topic.error());
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto run = wanted_run(options, *store);
  if (!run) return complain_of_name(run.error());
  std::optional<InterruptStop> interrupt;
  if (options.follow) interrupt.emplace("");

  Tail tail(*store, options,
            {.topic = *std::move(topic),
             .run = *run,
             .tenant = options.run.tenant,
             .level = level_of(options.level)});
  Result<log::Cursor> from;
  if (options.last > 0) {
    const auto manifest = log::read_manifest(*store);
    if (!manifest) return complain(manifest.error());
    from = manifest->end_of_parts();
    const auto taken = tail.take_parts(*manifest);
    if (!taken) return complain(taken.error());
  } else {
    from = log::end_of_log(*store);
  }
  if (!from) return complain(from.error());
  const auto events = LiveEvents::open(*store, *std::move(from));
  if (!events) return complain(events.error());
  if (options.last > 0) {
    const auto printed = tail.print_last(**events);
    if (!printed) return complain(printed.error());
  }
  if (interrupt) tail.print_live(**events, interrupt->token());
  return kDone;
}

}  // namespace

void add_tail(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<TailOptions>();
  auto* command = app.add_subcommand("tail", "Print the last events, and follow new ones live");
  command->add_option("topic", options->topic,
                      "Only these: * is one word, # the rest (stage.*.failed, tool.#)");
  command->add_flag("-f,--follow", options->follow,
                    "Go on with the events of all processes as they come, until Ctrl-C");
  expect_number(command->add_option("-n,--lines", options->last,
                                    "How many of those that are there: 20 if absent"),
                0, kMaxLast);
  command->add_option("--run", options->run.name,
                      "Only of this run: its id, a part of it, or `last`");
  add_whose(*command, "events", options->run.tenant);
  add_level(*command, options->level);
  command->add_flag("--json", options->json, "Print the lines of the log, which are JSON");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return tail(*options, invocation); };
  });
}

}  // namespace weir::cli
