#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/scheduler.h"
#include "tool/tool.h"

namespace weir::engine {

/// What a recorded run leaves to do.
struct TakenUp {
  std::set<pipeline::StepIndex> unended;  ///< an attempt began, and nobody knows how it ended
  std::set<pipeline::NodeIndex> said_skips;
  /// What ended last, by its id, and why it would be tried again, which is not recorded: of what
  /// failed, and with guards of everything.
  std::map<std::string, std::string_view, std::less<>> ended;
  /// Of steps that wait for their next attempt: since when, and how long.
  struct Wait {
    Timestamp since{};
    std::chrono::milliseconds delay{};
  };
  std::map<pipeline::StepIndex, Wait> waits;
  struct Unjudged {
    pipeline::StepIndex guard = 0;
    pipeline::ErrorCategory category{};
    tool::Failure failure;
  };
  std::optional<Unjudged> unjudged;
  std::optional<pipeline::StepIndex> unsaid_recovery;  ///< of a guard
};

}  // namespace weir::engine
