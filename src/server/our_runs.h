#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/id.h"
#include "base/result.h"
#include "event/decoder.h"
#include "log/follower.h"
#include "log/store_directory.h"

namespace weir::server {

/// The runs of which this program, in whatever process, is the owner: others do not say what
/// happened in them. Each has an event with the number 1, which no observed one has.
///
/// Threads  Any.
/// Memory   An id a run.
class OurRuns {
 public:
  /// Reads which there are. `is_own` tells the writers whose events are all of observed runs.
  /// Errors: those of the store.
  [[nodiscard]] static Result<std::unique_ptr<OurRuns>> open(const log::StoreDirectory& store,
                                                             log::WriterFilter is_own);

  /// Whether the run is one of those, as of all that is committed now. What cannot be read of the
  /// log is told by whoever reads it for its own sake.
  [[nodiscard]] bool has(const RunId& run);
  /// Reads what has come, so that compaction need not wait for it.
  void catch_up();

 private:
  explicit OurRuns(std::unordered_set<RunId> runs) : runs_(std::move(runs)) {}
  void read_on();  // under mutex_

  std::mutex mutex_;
  // Guarded by mutex_:
  std::unordered_set<RunId> runs_;
  std::unique_ptr<log::Follower> follower_;
  event::Decoder decoder_;
};

}  // namespace weir::server
