#include "plugins/failure.h"
#include "plugins/json_pointer.h"
#include "plugins/plugins.h"

namespace weir::plugins {
namespace {

using Kind = tool::Setting::Kind;
using Outcome = std::expected<tool::Output, tool::Failure>;

std::unexpected<tool::Failure> pointer_failure(const tool::Call& call, const Error& error) {
  return failure(call, error.code == ErrorCode::kNotFound ? "NotThere" : "InvalidPointer",
                 error.message);
}

Outcome select(const tool::Call& call) {
  auto value = value_at(call.payload, setting(call, "pointer"));
  if (!value) return pointer_failure(call, value.error());
  const auto name = setting(call, "as");
  tool::Output output;
  output.payload.set(name.empty() ? "value" : name, *std::move(value));
  return output;
}

Outcome set(const tool::Call& call) {
  auto value = with_value_at(call.payload, setting(call, "pointer"), *call.with.find("value"));
  if (!value) return pointer_failure(call, value.error());
  if (value->object() == nullptr) {
    return failure(call, "InvalidPointer", "the whole payload is set, which must be an object");
  }
  return tool::Output{.payload = *value->object(), .usage = {}};
}

Outcome merge(const tool::Call& call) {
  const auto merged = merge_patch(call.payload, *call.with.find("patch"));
  return tool::Output{.payload = *merged.object(), .usage = {}};
}

}  // namespace

void add_json_tools(tool::Registry& registry) {
  const tool::Setting pointer{.name = "pointer", .kind = Kind::kString, .required = true};
  registry.add(make_tool({.plugin_id = "json",
                          .tool_id = "select",
                          .settings = {pointer, {.name = "as", .kind = Kind::kString}}},
                         &select));
  registry.add(
      make_tool({.plugin_id = "json",
                 .tool_id = "set",
                 .settings = {pointer, {.name = "value", .kind = Kind::kAny, .required = true}}},
                &set));
  registry.add(make_tool({.plugin_id = "json",
                          .tool_id = "merge",
                          .settings = {{.name = "patch", .kind = Kind::kObject, .required = true}}},
                         &merge));
}

}  // namespace weir::plugins
