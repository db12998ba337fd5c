#pragma once

#include <string_view>

#include "base/json.h"

namespace weir::yaml {

/// Reads one YAML document into the value that the same JSON would give; every value and key knows
/// its line and column. Plain scalars are resolved by the YAML 1.2 core schema (so `yes` and `on`
/// are strings). Errors: kInvalidInput, the message beginning with "LINE:COLUMN: ", for bad syntax,
/// invalid UTF-8, keys that are not scalars, several documents, nesting over json::kMaxDepth, or
/// aliases that blow the document up.
[[nodiscard]] Result<json::Value> parse(std::string_view text);

}  // namespace weir::yaml
