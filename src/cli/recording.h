#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "record/event_filter.h"
#include "record/event_sink.h"
#include "record/log_feed.h"
#include "record/loggers.h"
#include "record/recorder.h"

namespace weir::cli {

/// What a command that records needs: the recorder, the loggers, and the sinks and hooks that are
/// configured, which get its events from the log, each at its own pace.
///
///   recorder ──► log ─┬─► feed ──► a sink, or PaperKit's files
///                     ├─► feed ──► another
///                     └─► feed ──► hooks
///
/// Record    What each hook did is an event of the process's own, and so is its first failure of a
///           kind (docs/reference/hooks.md). Hooks do not hear of the first.
/// Failure   What a sink or a hook cannot do is said on standard error, and harms no run. A file
///           that another process writes is left to it. When nobody reads standard error any more,
///           the log says so, and the process is not ended by SIGPIPE.
/// Threads   A feed's only where there is something to feed. After the signals are blocked.
/// Shutdown  The destructor waits for the hooks, commits everything, and waits for all sinks, each
/// time
///           for the patience that is configured, and says what they did not get. A sink that hangs
///           is left behind.
class Recording {
 public:
  /// Errors: kInvalidInput for a configuration of which nothing can be made; kIo.
  [[nodiscard]] static Result<std::unique_ptr<Recording>> start(const config::Config& config,
                                                                const log::StoreDirectory& store);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  [[nodiscard]] record::Recorder& recorder() { return recorder_; }
  /// As they are configured.
  [[nodiscard]] const record::Loggers& loggers() const { return loggers_; }

 private:
  struct Hooks;
  struct Output {
    std::string name;
    std::size_t feed;  ///< in feeds_
  };

  Recording(const log::StoreDirectory& store, record::RecorderOptions options,
            std::chrono::milliseconds patience);

  [[nodiscard]] Result<void> add_sinks(const config::Config& config);
  /// A sink that another process has, or that has no place now, is done without.
  [[nodiscard]] Result<void> add_sink(const std::string& name, record::EventFilter filter,
                                      Result<std::shared_ptr<record::EventSink>> sink);
  [[nodiscard]] Result<void> add_hooks(const config::Config& config);
  [[nodiscard]] Result<void> add_feed(std::string name, record::EventFilter filter,
                                      std::shared_ptr<record::EventSink> sink);
  void record_lost_console();
  void record_hooks();
  void say_what_is_missing() const;

  // In the order of need: each is used by those below it.
  const std::chrono::milliseconds patience_;
  record::Loggers loggers_;
  record::Recorder recorder_;
  std::shared_ptr<Hooks> hooks_;  // null: there are none
  std::vector<Output> sinks_;
  std::vector<std::unique_ptr<record::LogFeed>> feeds_;
};

}  // namespace weir::cli
