#pragma once

#include "event/catalogue.h"

/// A run ends with one of its events, and some may come after it.
namespace weir::event {

/// Whether its run ends with it.
[[nodiscard]] bool ends_run(Type type);

/// Whether it may come after that: what is said of the run itself, of its nodes, their tools,
/// approvals and guards, and signals may not, since it would change the run's state. Everything
/// else may come at any time and changes none: wide events, artifacts and their reviews, what was
/// observed, what is unknown, and that the effects of a failed run's tools were taken back.
[[nodiscard]] bool may_follow_end(Type type);

}  // namespace weir::event
