#pragma once

#include <string>

#include "base/json.h"
#include "tool/tool.h"

/// What tools take, for editors and people: of each tool of a registry what its spec says.
namespace weir::pipeline {

/// A JSON Schema (draft-07) with one definition a tool, of its `with`: `#/definitions/sql.query`.
[[nodiscard]] json::Value tools_schema(const tool::Registry& tools);

/// All tools and their settings as a Markdown page.
[[nodiscard]] std::string tools_page(const tool::Registry& tools);

// For the schema of pipeline files, which holds the `with` of each node against its tool.

/// Those of tools_schema, and by its id one a plugin: what an object that calls one of its tools
/// is. kNodeDefinition and kLineDefinition are what they are for.
[[nodiscard]] json::Object tool_definitions(const tool::Registry& tools);
/// `#/definitions/…` of a node, which names its plugin, and of a linear pipeline, whose tools do
/// not.
inline constexpr const char* kNodeDefinition = "node_of_tool";
inline constexpr const char* kLineDefinition = "line_of_tools";
/// {"$ref": "#/definitions/NAME"}
[[nodiscard]] json::Object reference_to(const std::string& definition);

}  // namespace weir::pipeline
