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

constexpr std::string_view kPointers =
    R"(A pointer is a JSON pointer (RFC 6901): `/a/0/b`, with `~1` for a `/` in a key and `~0` for a `~`; an empty one
is the whole payload. **Failures:** `NotThere`, `InvalidPointer`.
)";

tool::Setting pointer(std::string doc) {
  return {.name = "pointer", .kind = Kind::kString, .required = true, .doc = std::move(doc)};
}

}  // namespace

void add_json_tools(tool::Registry& registry) {
  registry.add(
      make_tool({.plugin_id = "json",
                 .tool_id = "select",
                 .settings = {pointer("where in the payload"),
                              {.name = "as",
                               .kind = Kind::kString,
                               .doc = "what it is called in the output",
                               .fallback = "`value`"}},
                 .about = "Takes one value out of the payload.",
                 .notes = "- **Output:** `{<as>: what is there}`.\n\n" + std::string(kPointers),
                 .measures_cpu = true},
                &select));
  registry.add(make_tool(
      {.plugin_id = "json",
       .tool_id = "set",
       .settings =
           {pointer("where in the payload; `-` is the end of a list"),
            {.name = "value", .kind = Kind::kAny, .required = true, .doc = "what to put there"}},
       .about = "Puts a value into the payload.",
       .notes = "- **Output:** the payload with the value in it. Objects that are missing on the "
                "way are made.\n\n" +
                std::string(kPointers),
       .measures_cpu = true},
      &set));
  registry.add(make_tool(
      {.plugin_id = "json",
       .tool_id = "merge",
       .settings =
           {{.name = "patch",
             .kind = Kind::kObject,
             .required = true,
             .doc =
                 "its members replace those of the payload, objects are merged, `null` removes"}},
       .about = "Applies a merge patch (RFC 7396) to the payload.",
       .notes = "- **Output:** the payload, changed.\n",
       .measures_cpu = true},
      &merge));
}

}  // namespace weir::plugins
