#pragma once

#include "artifact/artifact_store.h"
#include "tool/tool.h"

/// The tools that ship with Weir. What each takes, gives and fails with is in its spec:
/// docs/reference/tools.md is made of that.
namespace weir::plugins {

/// `process.run`: runs a command of the user's own.
[[nodiscard]] std::unique_ptr<tool::Tool> make_process_run(
    const artifact::ArtifactStore& artifacts);

/// `sql.query`: one query on DuckDB over files and earlier results.
[[nodiscard]] std::unique_ptr<tool::Tool> make_sql_query(const artifact::ArtifactStore& artifacts);

/// A tool that is a function and keeps nothing.
using ToolFunction = std::expected<tool::Output, tool::Failure> (*)(const tool::Call&);
[[nodiscard]] std::unique_ptr<tool::Tool> make_tool(tool::ToolSpec spec, ToolFunction function);

/// `json.select`, `json.set`, `json.merge`: the payload, changed.
void add_json_tools(tool::Registry& registry);

/// `file.read`, `file.write`, `file.list`, `file.copy`. Paths begin in the pipeline's folder.
void add_file_tools(tool::Registry& registry);

/// `http.request`: one request, http or https.
void add_http_tools(tool::Registry& registry);

/// Adds all of them. `artifacts` must outlive the registry, unless no tool of it is called.
void add_all(tool::Registry& registry, const artifact::ArtifactStore& artifacts);

}  // namespace weir::plugins
