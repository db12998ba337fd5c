#pragma once

#include <string>

#include "base/json.h"

namespace weir::pipeline {

/// The JSON Schema (draft-07) of pipeline files. What is accepted is valid; what one key means for
/// another, `weir check` alone knows.
[[nodiscard]] json::Value json_schema();

/// All keys as a Markdown page.
[[nodiscard]] std::string reference_page();

}  // namespace weir::pipeline
