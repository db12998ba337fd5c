#pragma once

#include "base/json.h"
#include "event/decoder.h"

namespace weir::cli {

/// An event as the log has it, its fields in the order of the catalogue.
[[nodiscard]] json::Object event_json(const event::EventView& event);

}  // namespace weir::cli
