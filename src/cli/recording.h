#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "config/config.h"
#include "record/composite_sink.h"
#include "record/event_bus.h"
#include "record/event_bus_sink.h"
#include "record/log_feed.h"
#include "record/loggers.h"
#include "record/recorder.h"

namespace weir::cli {

/// What a command that records needs: the recorder, the loggers, and the sinks and hooks that are
/// configured, which get its events from the log.
///
///   recorder ──► log ─┬─► feed ──► sinks and PaperKit's files
///                     └─► feed ──► hooks
///
/// Record    What each hook did is an event of the process's own, and so is its first failure of a
///           kind (docs/reference/hooks.md). Hooks do not hear of the first.
/// Failure   What a sink or a hook cannot do is said on standard error, and harms no run. A file
///           that another process writes is left to it.
/// Threads   A feed's only where there is something to feed. After the signals are blocked.
/// Shutdown  The destructor commits everything, waits for the sinks and the hooks, some kPatience
///           each, and says what they did not get.
class Recording {
 public:
  static constexpr std::chrono::seconds kPatience{10};

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
  Recording(const log::StoreDirectory& store, record::RecorderOptions options);

  [[nodiscard]] Result<void> add_sinks(const config::Config& config);
  [[nodiscard]] Result<void> add_hooks(const config::Config& config);
  [[nodiscard]] Result<std::unique_ptr<record::LogFeed>> feed(std::string name,
                                                              record::EventSink& sink);
  void say_first(const record::HookProblem& problem);
  void record_problem(const record::HookProblem& problem);
  void record_hooks();
  void say_what_is_missing() const;

  // In the order of need: each is used by those below it.
  record::Loggers loggers_;
  record::Recorder recorder_;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::set<std::pair<std::string, record::HookProblem::Kind>> said_;  // guarded by mutex_
  record::CompositeSink sinks_;
  record::EventBus bus_;
  record::EventBusSink bus_sink_{bus_, kPatience};
  std::unique_ptr<record::LogFeed> sink_feed_;
  std::unique_ptr<record::LogFeed> hook_feed_;
};

}  // namespace weir::cli
