#pragma once

#include <string_view>

#include "base/json.h"
#include "tool/tool.h"

/// What tools say of the tables that they read and make.
namespace weir::tool {

/// Of all that a call says of its tables, as JSON.
inline constexpr std::size_t kMaxLineageBytes = std::size_t{64} << 10;

/// Takes into the output what was said of it, of the form in docs/plugins.md: `rows` as its usage,
/// all else as its lineage. What is not of that form is passed over as a whole, with a warning in
/// the log of the call.
void take_lineage(const json::Value& said, const Call& call, Output& output);
/// The same of a JSON text; empty: nothing was said.
void read_lineage(std::string_view said, const Call& call, Output& output);
}  // namespace weir::tool
