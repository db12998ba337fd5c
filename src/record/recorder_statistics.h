#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace weir::record {

/// What a recorder has done so far. Read while it works, so no two figures are of one moment.
struct RecorderStatistics {
  std::uint64_t emitted = 0;   ///< events taken
  std::uint64_t dropped = 0;   ///< events not taken: by `try_emit`, or of runs that are lost
  std::uint64_t full = 0;      ///< how often a ring was full
  std::uint64_t cut = 0;       ///< events whose line was too long (see cut_fields)
  std::uint64_t late = 0;      ///< events that may not follow their run's end (see Run)
  std::uint64_t redacted = 0;  ///< values that were masked
  std::uint64_t commits = 0;
  std::uint64_t write_errors = 0;      ///< commits that the log did not take
  std::optional<Timestamp> last_emit;  ///< of those that the writer has seen
  std::optional<Timestamp> last_drop;

  /// Of all events, from 0 to 1.
  [[nodiscard]] double drop_rate() const {
    const auto all = emitted + dropped;
    return all == 0 ? 0 : static_cast<double>(dropped) / static_cast<double>(all);
  }
};

}  // namespace weir::record
