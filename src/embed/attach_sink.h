#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/decoder.h"
#include "event/topic.h"
#include "record/event_sink.h"
#include "record/fork_guard.h"
#include "record/log_feed.h"
#include "record/recorder.h"
#include "weir/recorder.h"
#include "weir/sink.h"

namespace weir::embed {

/// Those who read what a recorder commits, each for a sink. The destructor gives the sinks what is
/// committed by then, flushes them, for `patience` all together, and ends; it must run after the
/// recorder's.
///
/// Threads  All functions from any thread.
class Feeds {
 public:
  Feeds(std::chrono::milliseconds patience, std::function<void(std::string_view)> on_problem);
  ~Feeds();
  Feeds(const Feeds&) = delete;
  Feeds& operator=(const Feeds&) = delete;

  /// Gives `sink` what `recorder` commits, from its first event on. Errors: kIo, kNotFound.
  [[nodiscard]] Result<void> add(const record::Recorder& recorder,
                                 std::shared_ptr<record::EventSink> sink);

  /// Gives the process's sink (set_event_sink) what `recorder` commits, from now on; once.
  /// Errors: kIo, kNotFound.
  [[nodiscard]] Result<void> add_current(const record::Recorder& recorder);
  /// Waits until the process's sink has what is committed now. Errors: as LogFeed::finish.
  [[nodiscard]] Result<void> finish_current();

 private:
  [[nodiscard]] Result<std::unique_ptr<record::LogFeed>> start(
      const record::Recorder& recorder, std::shared_ptr<record::EventSink> sink, log::Cursor from);

  const std::chrono::milliseconds patience_;
  const std::function<void(std::string_view)> on_problem_;
  std::atomic<int> added_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<record::LogFeed>> feeds_;  // guarded by mutex_
  record::LogFeed* current_ = nullptr;                   // of feeds_; guarded by mutex_
  /// A child may read what it commits itself: the feeds that it has inherited are the parent's.
  record::ForkGuard fork_guard_{mutex_, [this] { current_ = nullptr; }};
};

/// A user's sink as one of ours: what it throws becomes an error.
[[nodiscard]] std::shared_ptr<record::EventSink> adapt_sink(std::shared_ptr<Sink> sink);

/// One of ours as users have it.
[[nodiscard]] std::shared_ptr<Sink> own_sink(std::shared_ptr<record::EventSink> sink);

/// What stands behind an Event of ours.
struct EventData {
  const event::EventView& view;
};

/// As users get it. The views are those of `published`, and `data` outlives it.
[[nodiscard]] Event to_event(const record::Published& published, const EventData& data);

/// `call` with the event as our sinks and hooks take it: what a program has made itself is read
/// from its line. Errors: kInvalidInput for a line that is no event, and those of `call`.
template <class Call>
[[nodiscard]] Result<void> with_published(const Event& event, const Call& call) {
  if (event.data != nullptr) {
    return call(
        record::Published{.topic = event.topic, .event = event.data->view, .line = event.line});
  }
  event::Decoder decoder;
  WEIR_TRY(const auto* const view, decoder.decode(event.line));
  const auto topic = event::topic_of(*view);
  return call(record::Published{.topic = topic, .event = *view, .line = event.line});
}

}  // namespace weir::embed
