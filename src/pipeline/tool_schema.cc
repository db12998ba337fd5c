#include "pipeline/tool_schema.h"

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "config/shape.h"

namespace weir::pipeline {
namespace {

using tool::Setting;
using tool::ToolSpec;
using Kind = Setting::Kind;

/// The keys by which a node names its plugin and its tool, and an undo its tool.
using Keys = std::span<const char* const>;
constexpr std::array kPluginKeys = {"plugin_id", "plugin_type"};
constexpr std::array kToolKeys = {"tool_id", "tool_type"};
constexpr std::array kUndoKeys = {"tool"};

json::Object object_of(const char* key, json::Value value) {
  json::Object object;
  object.set(key, std::move(value));
  return object;
}

json::Object of_type(const char* type) { return object_of("type", type); }

json::Object schema_of_kind(const Setting& setting) {
  switch (setting.kind) {
    case Kind::kString:
      return of_type("string");
    case Kind::kStrings: {
      auto schema = of_type("array");
      schema.set("items", of_type("string"));
      schema.set("minItems", 1);
      return schema;
    }
    case Kind::kStringsByName: {
      auto schema = of_type("object");
      if (setting.names) schema.set("propertyNames", object_of("pattern", setting.names->pattern));
      schema.set("additionalProperties", of_type("string"));
      return schema;
    }
    case Kind::kInteger: {
      auto schema = of_type("integer");
      schema.set("minimum", 0);
      return schema;
    }
    case Kind::kNumber:
      return of_type("number");
    case Kind::kBoolean:
      return of_type("boolean");
    case Kind::kObject:
      return of_type("object");
    case Kind::kAny:
      break;
  }
  return {};
}

/// A string that is one whole reference may stand for any value.
json::Object schema_of(const Setting& setting) {
  auto schema = schema_of_kind(setting);
  const bool takes_strings = setting.kind == Kind::kString || setting.kind == Kind::kAny;
  if (!takes_strings) {
    auto reference = of_type("string");
    reference.set("pattern", R"(^\$\{.+\}$)");
    schema = object_of("anyOf", json::Array{std::move(schema), std::move(reference)});
  }
  schema.set("description", setting.doc);
  return schema;
}

json::Array required_settings(const ToolSpec& spec) {
  json::Array names;
  for (const auto& setting : spec.settings) {
    if (setting.required) names.emplace_back(setting.name);
  }
  return names;
}

/// Of a tool's `with`.
json::Object schema_of(const ToolSpec& spec) {
  auto required = required_settings(spec);
  json::Object properties;
  for (const auto& setting : spec.settings) properties.set(setting.name, schema_of(setting));
  json::Object schema;
  schema.set("description", spec.about);
  schema.set("type", required.empty() ? json::Value(json::Array{"object", "null"}) : "object");
  if (!required.empty()) schema.set("required", std::move(required));
  schema.set("properties", std::move(properties));
  if (!spec.settings.empty()) schema.set("additionalProperties", false);
  return schema;
}

std::vector<const ToolSpec*> specs_of(const tool::Registry& tools, const std::string& plugin) {
  std::vector<const ToolSpec*> specs;
  for (const auto& id : tools.tool_ids(plugin)) specs.push_back(&tools.find(plugin, id)->spec());
  return specs;
}

/// An object with this word under one of these keys.
json::Object has_word(Keys keys, const std::string& word) {
  json::Array ways;
  for (const auto* key : keys) {
    auto way = object_of("required", json::Array{key});
    way.set("properties", object_of(key, object_of("const", word)));
    ways.emplace_back(std::move(way));
  }
  return ways.size() == 1 ? *ways.front().object() : object_of("anyOf", std::move(ways));
}

json::Object when(json::Object condition, json::Object consequence) {
  auto rule = object_of("if", std::move(condition));
  rule.set("then", std::move(consequence));
  return rule;
}

/// An object that names one of these tools under one of `keys` has its `with`.
json::Object calls(const std::vector<const ToolSpec*>& specs, Keys keys) {
  json::Array words, rules;
  for (const auto* spec : specs) {
    words.emplace_back(spec->tool_id);
    auto consequence = object_of("properties", object_of("with", reference_to(spec->name())));
    if (!required_settings(*spec).empty()) consequence.set("required", json::Array{"with"});
    rules.emplace_back(when(has_word(keys, spec->tool_id), std::move(consequence)));
  }
  json::Object properties;
  for (const auto* key : keys) properties.set(key, object_of("enum", words));
  auto schema = object_of("properties", std::move(properties));
  schema.set("allOf", std::move(rules));
  return schema;
}

/// Of each tool its `with`.
json::Object with_definitions(const tool::Registry& tools) {
  json::Object definitions;
  for (const auto& plugin : tools.plugin_ids()) {
    for (const auto* spec : specs_of(tools, plugin))
      definitions.set(spec->name(), schema_of(*spec));
  }
  return definitions;
}

constexpr std::string_view kToolsIntroduction =
    R"(# Tools

Generated by `weir schema tools --format markdown`. These tools come with Weir; [plugins](../plugins.md) and
[programs](../embedding.md#running-pipelines) add others, and `weir plugins` lists all that pipelines can name
here. A node names its tool as `plugin_id` and `tool_id`, and has the tool's settings in `with`:

```yaml
  - id: totals
    plugin_id: sql
    tool_id: query
    with: {query: "SELECT sum(amount) AS total FROM 'orders.csv'", inline_rows: 1}
```

`weir check` says which setting is unknown, missing or of another kind. In each string of a setting there may be
[references](pipeline.md#references) such as `${params.day}` and `${secrets.NAME}`, and a string that is one whole
reference stands for a value of any kind. `weir schema tools` prints a JSON Schema of each tool's settings, and
`weir schema pipeline` one of pipeline files that holds a node's `with` against its tool. A tool's input is the
node's [payload](pipeline.md#references), `${input}`, its output what the nodes after it are given. How each type
of failure is met is in [failures](failures.md).
)";

void append_tool(std::string& page, const ToolSpec& spec) {
  page.append("\n## `").append(spec.name()).append("`\n\n").append(spec.about).append("\n\n");
  page.append("| setting | is | default | meaning |\n|---|---|---|---|\n");
  for (const auto& setting : spec.settings) {
    page.append("| `").append(setting.name).append("` | ").append(to_string(setting.kind));
    page.append(" | ").append(setting.required ? "required" : setting.fallback);
    page.append(" | ").append(setting.doc).append(" |\n");
  }
  page.append("\n").append(spec.notes);
}

}  // namespace

json::Object reference_to(const std::string& definition) {
  return object_of("$ref", "#/definitions/" + definition);
}

json::Value tools_schema(const tool::Registry& tools) {
  return config::schema_document("What the tools of Weir take in 'with'",
                                 object_of("definitions", with_definitions(tools)));
}

json::Object tool_definitions(const tool::Registry& tools) {
  auto definitions = with_definitions(tools);
  json::Array nodes, lines;
  for (const auto& plugin : tools.plugin_ids()) {
    const auto specs = specs_of(tools, plugin);
    auto schema = calls(specs, kToolKeys);
    auto properties = *schema.find("properties")->object();
    properties.set("undo", calls(specs, kUndoKeys));
    schema.set("properties", std::move(properties));
    definitions.set(plugin, std::move(schema));
    const auto is_called = has_word(kPluginKeys, plugin);
    nodes.emplace_back(when(is_called, reference_to(plugin)));
    const auto items = object_of("items", reference_to(plugin));
    lines.emplace_back(when(is_called, object_of("properties", object_of("tools", items))));
  }
  definitions.set(kNodeDefinition, object_of("allOf", std::move(nodes)));
  definitions.set(kLineDefinition, object_of("allOf", std::move(lines)));
  return definitions;
}

std::string tools_page(const tool::Registry& tools) {
  std::string page(kToolsIntroduction);
  for (const auto& plugin : tools.plugin_ids()) {
    for (const auto* spec : specs_of(tools, plugin)) append_tool(page, *spec);
  }
  return page;
}

}  // namespace weir::pipeline
