#pragma once

#include <expected>
#include <string>

#include "base/result.h"
#include "tool/tool.h"

namespace weir::plugins {

/// A failure that says which node it was.
[[nodiscard]] std::unexpected<tool::Failure> failure(const tool::Call& call, std::string type,
                                                     std::string message);

/// The string that a setting is; empty if it is not given.
[[nodiscard]] std::string setting(const tool::Call& call, std::string_view name);

}  // namespace weir::plugins
