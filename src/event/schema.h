#pragma once

#include <string>

#include "base/json.h"

namespace weir::event {

/// The JSON Schema (draft-07) of one event: every field with its type, and one branch of `oneOf` a
/// type of event, told apart by `event_type`, plus one for custom types.
[[nodiscard]] json::Value json_schema();

/// The catalogue as a Markdown page.
[[nodiscard]] std::string reference_page();

}  // namespace weir::event
