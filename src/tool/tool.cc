#include "tool/tool.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <typeinfo>

namespace weir::tool {
namespace {

/// The name of the exception's type, as its programmer wrote it.
std::string type_name(const std::exception& exception) {
  const char* mangled = typeid(exception).name();
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : mangled;
}

}  // namespace

std::expected<Output, Failure> run_caught(Tool& tool, const Call& call) {
  try {
    return tool.run(call);
  } catch (const std::exception& exception) {
    return std::unexpected(Failure{
        .type = type_name(exception), .message = exception.what(), .exit_code = {}, .usage = {}});
  } catch (...) {
    return std::unexpected(Failure{.type = "unknown",
                                   .message = "threw something that is no std::exception",
                                   .exit_code = {},
                                   .usage = {}});
  }
}

void Registry::add(std::unique_ptr<Tool> tool) {
  std::erase_if(tools_, [&](const auto& other) {
    return other->spec().plugin_id == tool->spec().plugin_id &&
           other->spec().tool_id == tool->spec().tool_id;
  });
  tools_.push_back(std::move(tool));
}

Tool* Registry::find(std::string_view plugin_id, std::string_view tool_id) const {
  for (const auto& tool : tools_) {
    if (tool->spec().plugin_id == plugin_id && tool->spec().tool_id == tool_id) return tool.get();
  }
  return nullptr;
}

std::vector<std::string> Registry::plugin_ids() const {
  std::vector<std::string> ids;
  for (const auto& tool : tools_) {
    if (std::find(ids.begin(), ids.end(), tool->spec().plugin_id) == ids.end()) {
      ids.push_back(tool->spec().plugin_id);
    }
  }
  return ids;
}

std::vector<std::string> Registry::tool_ids(std::string_view plugin_id) const {
  std::vector<std::string> ids;
  for (const auto& tool : tools_) {
    if (tool->spec().plugin_id == plugin_id) ids.push_back(tool->spec().tool_id);
  }
  return ids;
}

}  // namespace weir::tool
