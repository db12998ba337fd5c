#pragma once

#include "artifact/artifact_store.h"
#include "tool/tool.h"

/// The tools that ship with Weir.
namespace weir::plugins {

/// `process.run`: runs a command of the user's own.
///
/// with     `command` (argv, not a shell's); `env`: variables, in the environment beside Weir's
/// input    the payload as one JSON object on standard input; WEIR_RUN_ID and WEIR_NODE_ID in the
///          environment
/// output   one JSON object on standard output; nothing at all counts as {}
/// log      each line of standard error; a warning when what the command left behind held its
/// output fails    ProcessExited, ProcessSignalled, ProcessNotStarted, InputTooLarge,
/// OutputTooLarge,
///          OutputNotUtf8, OutputNotJson; what it printed is kept as an artifact
[[nodiscard]] std::unique_ptr<tool::Tool> make_process_run(
    const artifact::ArtifactStore& artifacts);

/// `sql.query`: one query on DuckDB over files and earlier results.
///
/// with     `query`; `inline_rows`: the most rows to put into the output
/// input    each member of the payload of the form {artifact, columns, rows} is a view of its name
/// output   {<node_id>: {artifact, columns, rows}}: the result is a Parquet artifact. With
///          `inline_rows` also `data`, a list of row objects
/// values   keep their value in Parquet: 128-bit integers become DECIMAL(38, 0), intervals and
///          times with a zone text; what has no such form fails and names its column
/// fails    SqlError, TooManyRows, ArtifactMissing, StorageError, Cancelled
[[nodiscard]] std::unique_ptr<tool::Tool> make_sql_query(const artifact::ArtifactStore& artifacts);

/// A tool that is a function and keeps nothing.
using ToolFunction = std::expected<tool::Output, tool::Failure> (*)(const tool::Call&);
[[nodiscard]] std::unique_ptr<tool::Tool> make_tool(tool::ToolSpec spec, ToolFunction function);

/// `json.select`, `json.set`, `json.merge`: the payload, changed. Pointers are JSON pointers (RFC
/// 6901): "/a/0/b".
///
/// select   with `pointer`, `as`: {<as, else "value">: what is there}
/// set      with `pointer`, `value`: the payload with the value there; objects on the way are made
/// merge    with `patch`: the payload with the merge patch (RFC 7396) applied: null removes
/// fails    NotThere, InvalidPointer
void add_json_tools(tool::Registry& registry);

/// `file.read`, `file.write`, `file.list`, `file.copy`. Paths begin in the pipeline's folder.
///
/// read     with `path`, `as`: {<as, else "content">: the text}; UTF-8, at most 4 MiB
/// write    with `path`, `content`: a text as it is, anything else as JSON. {path, size_bytes}.
///          After a crash there is the old file or the new one; folders on the way are made
/// list     with `path`: {files: [{name, type, size_bytes}]}, by name; type is file, folder or
///          other; at most 10 000
/// copy     with `from`, `to`: {path, size_bytes}, written as by `write`
/// fails    FileNotFound, FileTooLarge, FileNotUtf8, TooManyFiles, FileError
void add_file_tools(tool::Registry& registry);

/// `http.request`: one request, http or https.
///
/// with     `url`; `method` (GET, with a body POST), `headers` (texts by name), `body` (a text as
///          it is, anything else as JSON), `timeout_ms` (30 000), `max_bytes` (of the answer; 4
///          MiB, which is also the most)
/// output   {status, content_type, body}: a value if the type is JSON, else a text
/// safety   certificates are checked; no redirect is followed: a 3xx is an answer
/// fails    HttpStatus from 400 on (408, 425, 429 and from 500 on it may be tried again),
///          HttpUnreachable and HttpTimeout (may be tried again), HttpTooLarge, HttpNotUtf8,
///          InvalidRequest, Cancelled
void add_http_tools(tool::Registry& registry);

/// Adds all of them. `artifacts` must outlive the registry.
void add_all(tool::Registry& registry, const artifact::ArtifactStore& artifacts);

}  // namespace weir::plugins
