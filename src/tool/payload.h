#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/json.h"
#include "tool/tool.h"

namespace weir::tool {

/// What a program printed as a node's output: one JSON object, of a key given twice the last value;
/// nothing at all counts as {}. Fails with OutputNotUtf8, OutputNotJson.
[[nodiscard]] std::expected<json::Object, Failure> read_payload(std::string_view printed);

/// The same as the output of a program that used so much. Its member kLineageMember is none of the
/// payload but the output's lineage (lineage.h).
[[nodiscard]] std::expected<Output, Failure> read_output(std::string_view printed,
                                                         const Usage& usage, const Call& call);
inline constexpr std::string_view kLineageMember = "_lineage";

/// "PluginDied", "it died", nothing else.
[[nodiscard]] std::unexpected<Failure> fail_with(std::string type, std::string message);
/// Of kSandbox.
[[nodiscard]] std::unexpected<Failure> fail_for_limit(std::string_view type, std::string message);

}  // namespace weir::tool
