#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/time.h"

/// Which runs are kept. Pure: what there is and what time it is, is said.
namespace weir::store {

/// Of what a process says of itself, what record::Retention says; of foreign runs, `metrics` if
/// there is nothing else in them; `operations` of all other runs.
enum class RetentionClass : std::uint8_t { kOperations, kAudit, kMetrics };

/// Why a run stays whatever its age and its size.
enum class Spared : std::uint8_t {
  kNo,
  kHeld,       ///< somebody holds it, or it says that another is held
  kOwned,      ///< its process lives
  kInSegment,  ///< some of it is in a segment still
  kDamaged,    ///< a part that may hold some of it cannot be read
  kJudges      ///< it says what somebody thinks of an artifact, and who has written that stays
};

/// A run of which parts hold something.
struct StoredRun {
  std::optional<std::string> tenant;
  RunId run;
  std::string pipeline;
  RetentionClass kind = RetentionClass::kOperations;
  Timestamp last_event;  ///< when it arrived
  bool is_finished = false;
  Spared spared = Spared::kNo;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  ///< its share of the parts that hold it
};

/// What is not said is as for all.
struct RetentionOverride {
  std::optional<std::chrono::milliseconds> operations, audit, metrics;
  std::optional<std::uint64_t> max_bytes;
};

struct RetentionRules {
  std::chrono::milliseconds operations{std::chrono::days(30)};
  std::chrono::milliseconds audit{std::chrono::days(90)};
  std::chrono::milliseconds metrics{std::chrono::days(90)};
  /// Of the parts of all runs; nothing: any size.
  std::optional<std::uint64_t> max_bytes;
  std::map<std::string, RetentionOverride, std::less<>> tenants;
  std::map<std::string, RetentionOverride, std::less<>> pipelines;  ///< win over the tenants
};

/// A run without an end may get one, and what observes others has none: it is being written as long
/// as its last event is not older.
inline constexpr std::chrono::hours kQuiet{24};

/// Which of the runs go, by their indices, ascending: those that are over their age, and the oldest
/// of those that are over a size, but of these none of the class `audit`.
[[nodiscard]] std::vector<std::size_t> runs_to_delete(const std::vector<StoredRun>& runs,
                                                      const RetentionRules& rules, Timestamp now);

}  // namespace weir::store
