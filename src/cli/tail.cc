#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/run_list.h"
#include "cli/usage.h"
#include "event/decoder.h"
#include "event/topic.h"
#include "log/follower.h"
#include "log/manifest.h"
#include "record/log_text.h"
#include "store/history.h"

namespace weir::cli {
namespace {

struct TailOptions {
  std::string topic = "#";
  std::string run;
  std::string level = "debug";
  std::size_t last = 20;
  bool follow = false;
  bool json = false;
};

constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warning", "error", "fatal"};
/// All are held in memory until the end of the log is met.
constexpr std::int64_t kMaxLast = 100'000;

/// Which events are to be shown.
struct Wanted {
  event::TopicPattern topic;
  std::optional<RunId> run;
  std::size_t level = 0;  // at least; in kLevels

  [[nodiscard]] bool has(const event::EventView& event, std::string& topic_buffer) const {
    if (run && event.run_id() != *run) return false;
    // A level that an event of another version has is shown.
    const auto text = event.text(event::Field::kLevel);
    for (std::size_t i = 0; i < level; ++i) {
      if (text == event::to_string(static_cast<event::Level>(i))) return false;
    }
    event::write_topic(event, topic_buffer);
    return topic.matches(topic_buffer);
  }
};

class Tail {
 public:
  Tail(const log::StoreDirectory& store, const TailOptions& options, Wanted wanted)
      : store_(store), options_(options), wanted_(std::move(wanted)) {}

  /// Takes what is in parts; what a follower then finds may be newer.
  Result<void> take_parts(const log::Manifest& manifest) {
    WEIR_TRY(auto read, store::read_newest_of_parts(
                            store_, manifest, wanted_.run,
                            [this](const event::EventView& event, std::string_view line) {
                              if (wanted_.has(event, topic_)) keep_before(event.timestamp(), line);
                              return last_.size() < options_.last;
                            }));
    bad_.insert(bad_.end(), read.bad.begin(), read.bad.end());
    return {};
  }

  Result<void> print_last(log::Follower& follower) {
    while (true) {
      WEIR_TRY(const auto commit, follower.next(std::chrono::milliseconds(0)));
      if (!commit) break;
      for_each_wanted(*commit, [this](const event::EventView& event, std::string_view line) {
        keep(event.timestamp(), line);
      });
    }
    for (const auto& [time, line] : last_) {
      if (const auto event = decoder_.decode(line)) print(**event, line);
    }
    last_.clear();
    warn();
    return {};
  }

  /// Until it is told to stop, or nobody reads what it prints.
  void print_live(log::Follower& follower, const std::stop_token& stop) {
    const std::stop_callback wake(stop, [&follower] { follower.wake(); });
    while (!stop.stop_requested() && std::fflush(stdout) == 0) {
      const auto got = follower.next(std::chrono::hours(1));
      if (!got) {
        complain(got.error());  // it goes on with what can be read
      } else if (const auto& commit = *got) {
        for_each_wanted(*commit, [this](const event::EventView& event, std::string_view line) {
          print(event, line);
        });
      }
      warn();
    }
  }

  void note(const log::FollowProblem& problem) {
    bad_.push_back({store_.segment(problem.segment), problem.offset, problem.reason});
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

  template <class Use>
  void for_each_wanted(const log::FollowedCommit& commit, const Use& use) {
    auto offset = commit.begin;
    for (auto lines = commit.lines; !lines.empty();) {
      const auto line = lines.substr(0, lines.find('\n'));
      const auto event = decoder_.decode(line);
      if (!event) {
        bad_.push_back({store_.segment(commit.segment), offset, event.error().message});
      } else if (wanted_.has(**event, topic_)) {
        use(**event, line);
      }
      lines.remove_prefix(line.size() + 1);
      offset += line.size() + 1;
    }
  }

  void print(const event::EventView& event, std::string_view line) const {
    const auto text = options_.json ? std::string(line) : record::format_text(event);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  }

  void warn() {
    if (!bad_.empty()) std::fflush(stdout);
    warn_of_damage(bad_);
    bad_.clear();
  }

  const log::StoreDirectory& store_;
  const TailOptions& options_;
  const Wanted wanted_;
  event::Decoder decoder_;
  std::string topic_;
  std::multimap<Timestamp, std::string> last_;
  std::vector<store::BadPlace> bad_;
};

/// A run that is not there yet can be followed by its whole id.
Result<std::optional<RunId>> wanted_run(const TailOptions& options,
                                        const log::StoreDirectory& store) {
  if (options.run.empty()) return std::optional<RunId>();
  if (const auto id = RunId::parse(options.run); id && options.follow) return id;
  WEIR_TRY(const auto run, find_run(store, options.run));
  return std::optional(run.state.run_id);
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
  if (!run) return complain(run.error());
  std::optional<InterruptStop> interrupt;
  if (options.follow) interrupt.emplace("");

  const auto level = std::ranges::find(kLevels, options.level) - kLevels.begin();
  Tail tail(*store, options,
            {.topic = *std::move(topic), .run = *run, .level = static_cast<std::size_t>(level)});
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
  auto follower = log::Follower::open(
      *store, *std::move(from), [&tail](const log::FollowProblem& problem) { tail.note(problem); });
  if (!follower) return complain(follower.error());
  if (options.last > 0) {
    const auto printed = tail.print_last(*follower);
    if (!printed) return complain(printed.error());
  }
  if (interrupt) tail.print_live(*follower, interrupt->token());
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
  command->add_option("--run", options->run, "Only of this run: its id, a part of it, or `last`");
  expect_word(command->add_option("--level", options->level, "Only of this level and above"),
              {kLevels.begin(), kLevels.end()});
  command->add_flag("--json", options->json, "Print the lines of the log, which are JSON");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return tail(*options, invocation); };
  });
}

}  // namespace weir::cli
