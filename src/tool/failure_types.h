#pragma once

#include <string_view>

namespace weir::tool {

/// The category of what a plugin was stopped for (Failure::category). Its types:
inline constexpr std::string_view kSandbox = "PLUGIN_SANDBOX";
inline constexpr std::string_view kTimeout = "TIMEOUT";
inline constexpr std::string_view kOutOfMemory = "OOM";
inline constexpr std::string_view kCpuLimit = "CPU_LIMIT";
inline constexpr std::string_view kOutputLimit = "OUTPUT_LIMIT";
inline constexpr std::string_view kPolicyDenied = "POLICY_DENIED";

}  // namespace weir::tool
