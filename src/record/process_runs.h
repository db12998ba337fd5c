#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "event/field_value.h"

namespace weir::record {

class Recorder;
class Run;

/// How long what a process says of itself is kept.
enum class Retention : std::uint8_t { kOperations, kAudit, kMetrics };

/// The runs of what belongs to no run: audits, alerts, what was found wrong in the store. One for
/// each tenant and retention, of the pipeline `weir` and the type `external`, begun with its first
/// event and, so that it ends at some time, anew on every day in UTC.
///
/// Threads Any.
class ProcessRuns {
 public:
  explicit ProcessRuns(Recorder& recorder) : recorder_(recorder) {}
  ~ProcessRuns();
  ProcessRuns(const ProcessRuns&) = delete;
  ProcessRuns& operator=(const ProcessRuns&) = delete;

  /// As Run::emit. Without a tenant: `tenant` is empty. Errors: as Recorder::begin; kCancelled
  /// after `close`.
  [[nodiscard]] Result<void> emit(Retention retention, std::string_view tenant, event::Type type,
                                  event::Level level, std::span<const event::FieldValue> fields);

  /// Waits until what this thread emitted is on disk. Errors: those of the log.
  [[nodiscard]] Result<void> flush();

  /// Ends them, their events committed.
  void close();

 private:
  struct Key {
    std::string tenant;
    Retention retention;
    auto operator<=>(const Key&) const = default;
  };
  struct DaysRun {
    std::chrono::sys_days day;
    std::unique_ptr<Run> run;
  };

  Recorder& recorder_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<Key, DaysRun> runs_;
  bool closed_ = false;
};

}  // namespace weir::record
