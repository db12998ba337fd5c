#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/decoder.h"
#include "log/follower.h"
#include "log/store_directory.h"
#include "store/history.h"

namespace CLI {
class App;
}

namespace weir::cli {

/// The events of all processes as they are committed.
///
/// Threads  One at a time; `wake` from any.
class LiveEvents {
 public:
  /// Begins at `from`. Errors: those of log::Follower.
  [[nodiscard]] static Result<std::unique_ptr<LiveEvents>> open(const log::StoreDirectory& store,
                                                                log::Cursor from);

  /// Gets an event and its line, valid during the call.
  using Handler = std::function<void(const event::EventView& event, std::string_view line)>;

  /// Hands over the events of the next commit. False: none has come within `wait`, or it was woken.
  /// Errors: those of log::Follower::next; it can be called again.
  [[nodiscard]] Result<bool> next(std::chrono::milliseconds wait, const Handler& handle);

  /// Ends a `next` that waits, or else the next one that would.
  void wake() { follower_->wake(); }

  /// Says on standard error what could not be read, after what was printed so far.
  void warn();

 private:
  explicit LiveEvents(log::StoreDirectory store) : store_(std::move(store)) {}

  const log::StoreDirectory store_;
  std::unique_ptr<log::Follower> follower_;
  event::Decoder decoder_;
  std::vector<store::BadPlace> bad_;
};

/// Until it is told to stop, `handle` returns false, or nobody reads what is printed. What goes
/// wrong is said, and it goes on with what can be read.
void follow(
    LiveEvents& events, const std::stop_token& stop,
    const std::function<bool(const event::EventView& event, std::string_view line)>& handle);

/// An event as people read it, with its run's short id, or its line of the log.
void print_event(const event::EventView& event, std::string_view line, bool as_json);

/// Adds `--level` to a command that prints events; `level` is its default and gets its word.
void add_level(CLI::App& command, std::string& level);
[[nodiscard]] event::Level level_of(const std::string& word);
/// A level that an event of another version has is one that is shown.
[[nodiscard]] bool is_at_least(const event::EventView& event, event::Level level);

}  // namespace weir::cli
