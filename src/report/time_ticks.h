#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace weir::report {

/// A moment that an axis names.
struct TimeTick {
  double place = 0;  ///< 0 to 1 between the ends
  std::string text;  ///< "08:30", "Jan 5"
};

/// Round moments in UTC from `begin` to `end`, at most seven.
[[nodiscard]] std::vector<TimeTick> time_ticks(Timestamp begin, Timestamp end);

/// A round width, from a second to weeks, of which at most `most` cover the time between.
[[nodiscard]] std::chrono::microseconds round_width(Timestamp begin, Timestamp end,
                                                    std::size_t most);

}  // namespace weir::report
