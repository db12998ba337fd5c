#include "plugins/failure.h"

namespace weir::plugins {

std::unexpected<tool::Failure> failure(const tool::Call& call, std::string type,
                                       std::string message) {
  return std::unexpected(
      tool::Failure{.type = std::move(type),
                    .message = "node '" + std::string(call.node_id) + "': " + std::move(message),
                    .exit_code = {},
                    .usage = {}});
}

std::string setting(const tool::Call& call, std::string_view name) {
  const auto* value = call.with.find(name);
  return value == nullptr || value->string() == nullptr ? "" : *value->string();
}

}  // namespace weir::plugins
