#pragma once

#include <deque>
#include <unordered_map>

#include "event/decoder.h"
#include "project/run_key.h"
#include "project/span_fold.h"

namespace weir::project {

/// Makes the spans of many runs whose events come mixed.
///
/// Memory   What is open, a thousand bytes for each of the last kMaxEnded runs that have ended, and
///          for each that never did.
class SpanFolds {
 public:
  /// What comes late of a run that ended before these is told as of a run that goes on.
  static constexpr std::size_t kMaxEnded = 20'000;

  void apply(const event::EventView& event, const TakeSpan& take);
  void finish(const TakeSpan& take);

 private:
  std::unordered_map<RunKey, SpanFold> folds_;
  std::deque<RunKey> ended_;  // the oldest first
  SpanFold observed_;         // of all traces of other systems: nothing of them is kept
};

}  // namespace weir::project
