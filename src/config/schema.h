#pragma once

#include <string>

#include "base/json.h"

namespace weir::config {

struct Config;

/// The JSON Schema (draft-07) of `weir.yaml`. What is accepted is valid; limits of durations and
/// sizes, and what one key means for another, a schema does not know.
[[nodiscard]] json::Value json_schema();

/// All keys as a Markdown page, with their environment variables.
[[nodiscard]] std::string reference_page();

/// The configuration as a file that reads back as the same. It holds no secret but webhooks' URLs
/// and headers that the file itself has in clear.
[[nodiscard]] json::Value to_json(const Config& config);

}  // namespace weir::config
