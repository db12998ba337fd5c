#include "pipeline/policy.h"

#include <algorithm>

namespace weir::pipeline {
namespace {

/// `*` is any characters. Goes back to the last star only, so the time is pattern times text.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool matches_tool(std::string_view pattern, std::string_view plugin_id, std::string_view tool_id) {
  return matches(pattern, std::string(plugin_id).append(".").append(tool_id));
}

bool allows(const ExecutionMode& mode, std::string_view plugin_id, std::string_view tool_id) {
  const auto names_it = [&](const std::string& pattern) {
    return matches_tool(pattern, plugin_id, tool_id);
  };
  const auto& [allow, deny, position] = mode;
  return (allow.empty() || std::any_of(allow.begin(), allow.end(), names_it)) &&
         std::none_of(deny.begin(), deny.end(), names_it);
}

}  // namespace weir::pipeline
