#pragma once

#include "event/catalogue.h"

/// A run ends with one of its events, and some may come after it.
namespace weir::event {

/// Whether its run ends with it.
[[nodiscard]] bool ends_run(Type type);

/// Whether it may come after that. What is said of the run itself, of its nodes and tools, and
/// signals may not, but that the effects of tools were taken back.
[[nodiscard]] bool may_follow_end(Type type);

}  // namespace weir::event
