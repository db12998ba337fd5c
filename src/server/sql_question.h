#pragma once

#include <string_view>

#include "server/question_desk.h"

namespace weir::server {

/// What a body asks: {"query", "parameters", "max_rows", "timeout"}. Errors: kInvalidInput.
[[nodiscard]] Result<Question> parse_question(std::string_view body);

}  // namespace weir::server
