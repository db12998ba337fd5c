#pragma once

#include <vector>

#include "base/problem.h"
#include "base/result.h"
#include "tool/tool.h"

/// What a tool asks of a node's `with`.
namespace weir::pipeline {

/// Whether a value is a string that is one whole reference: of what type it will be, nobody knows.
[[nodiscard]] bool is_whole_reference(const json::Value& value);

/// Everything that is wrong with settings as they are written; what is missing, at `position`. A
/// whole reference may stand for any value.
[[nodiscard]] std::vector<Problem> settings_problems(const json::Object& with,
                                                     json::Position position,
                                                     const tool::ToolSpec& spec);

/// Settings of which the references have been resolved, as the tool may get them: a number, true or
/// false becomes a text where the tool asks for one. Errors: kInvalidInput for what it cannot take.
[[nodiscard]] Result<json::Object> settings_for(const tool::ToolSpec& spec, json::Object resolved);

}  // namespace weir::pipeline
