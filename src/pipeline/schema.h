#pragma once

#include <string>

#include "base/json.h"
#include "tool/tool.h"

namespace weir::pipeline {

/// The JSON Schema (draft-07) of pipeline files, with what nodes say in `with` to one of `tools`.
/// What is accepted is valid; what one key means for another, `weir check` alone knows.
[[nodiscard]] json::Value json_schema(const tool::Registry& tools);

/// All keys as a Markdown page.
[[nodiscard]] std::string reference_page();

}  // namespace weir::pipeline
