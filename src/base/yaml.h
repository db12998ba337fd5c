#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir::yaml {

struct Options {
  /// If not empty: only in the values of keys of these names are plain scalars resolved. All others
  /// are strings as they are written (`1.10` stays "1.10"), but for null.
  std::vector<std::string> resolve_only_in;
};

/// Reads one YAML document into the value that the same JSON would give; every value and key knows
/// its line and column. Plain scalars are resolved by the YAML 1.2 core schema (so `yes` and `on`
/// are strings). Errors: kInvalidInput, the message beginning with "LINE:COLUMN: ", for bad syntax,
/// invalid UTF-8, keys that are not scalars, several documents, nesting over json::kMaxDepth, or
/// aliases that blow the document up.
[[nodiscard]] Result<json::Value> parse(std::string_view text, const Options& options = {});

}  // namespace weir::yaml
