#pragma once

#include <string_view>

#include "base/result.h"

namespace weir::pipeline {

/// Whether `text` is five fields of cron: minute, hour, day of the month, month, day of the week.
/// Each is a list of `*`, `N`, `N-M` with `/STEP` behind, months and days also by the first three
/// letters of their names. Errors: kInvalidInput, saying which field is wrong.
[[nodiscard]] Result<void> check_cron(std::string_view text);

}  // namespace weir::pipeline
