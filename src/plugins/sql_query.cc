#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

#include "plugins/failure.h"
#include "plugins/plugins.h"
#include "store/database.h"
#include "store/exact_query.h"
#include "tool/lineage.h"

namespace weir::plugins {
namespace {

using Kind = tool::Setting::Kind;

using store::sql_name;
using store::sql_string;
using tool::Failure;

std::string_view failure_type(ErrorCode code) {
  if (code == ErrorCode::kInvalidInput) return "SqlError";
  return code == ErrorCode::kCancelled ? "Cancelled" : "StorageError";
}

std::unexpected<Failure> sql_failure(const tool::Call& call, const Error& error) {
  return failure(call, std::string(failure_type(error.code)), error.message);
}

/// The artifact that a member of the payload names, if it is a result of ours.
std::optional<Sha256> result_artifact(const json::Value& value) {
  if (value.object() == nullptr) return {};
  const auto* artifact = value.object()->find("artifact");
  const bool is_result = artifact != nullptr && artifact->string() != nullptr &&
                         value.object()->find("columns") != nullptr &&
                         value.object()->find("rows") != nullptr;
  return is_result ? Sha256::parse(*artifact->string()) : std::nullopt;
}

/// A path of the file system as a string of SQL, the same wherever DuckDB looks from.
Result<std::string> sql_path(const std::filesystem::path& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return fail(ErrorCode::kIo, path.string() + ": " + error.message());
  return sql_string(absolute.string());
}

constexpr std::string_view kQueryNotes =
    R"(- **Input:** each earlier result, which is a member of the payload of the form `{artifact, columns, rows}`, is a
  view of its name: the id of the node that made it. Relative paths of files, as in `FROM 'orders.csv'`, begin in
  the folder of the pipeline file.
- **Output:** `{<node id>: {artifact, columns, rows}}`. The result is a Parquet file, kept as an artifact; with
  `inline_rows` its rows are there, too, as `data`, a list of objects.
- **Values** keep their value in Parquet: 128-bit integers become DECIMAL(38, 0), intervals and times with a zone
  text. What has no such form fails, and the message names its column.
- **Used:** rows, bytes written, and the processor time of the query in all of DuckDB's threads. Memory and what was
  read are not said: DuckDB's buffers are those of all queries of the process.
- **Failures:** `SqlError`, `TooManyRows`, `ArtifactMissing`, `StorageError`, `Cancelled`.
)";

tool::ToolSpec query_spec() {
  return {.plugin_id = "sql",
          .tool_id = "query",
          .settings = {{.name = "query",
                        .kind = Kind::kString,
                        .required = true,
                        .doc = "one query in the SQL of DuckDB"},
                       {.name = "inline_rows",
                        .kind = Kind::kInteger,
                        .doc = "put the rows themselves into the output, for scripts; more rows "
                               "than this fail the node",
                        .fallback = "no rows"}},
          .about = "Runs one query on DuckDB, over files and earlier results.",
          .notes = std::string(kQueryNotes)};
}

class SqlQuery final : public tool::Tool {
 public:
  explicit SqlQuery(const artifact::ArtifactStore& artifacts) : artifacts_(artifacts) {}

  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] std::expected<tool::Output, Failure> run(const tool::Call& call) override {
    auto connection = connect();
    if (!connection) return sql_failure(call, connection.error());
    // Whenever it comes: the connection is then of no use any more.
    const std::stop_callback on_stop(call.stop, [&] { connection->interrupt(); });
    const auto read = names_read_by(*call.with.find("query")->string(), *connection);
    if (auto prepared = make_views(call, *connection); !prepared)
      return std::unexpected(prepared.error());

    auto file = artifacts_.temporary_path();
    if (!file) return sql_failure(call, file.error());
    auto output = query_to(*file, call, read, *connection);
    std::error_code ignored;
    std::filesystem::remove(*file, ignored);  // there only after a failure
    return output;
  }

 private:
  using Names = std::vector<std::string>;

  /// One database for all calls, so that they share its memory limit and threads.
  Result<store::Connection> connect() {
    const std::lock_guard lock(mutex_);
    if (!database_) {
      WEIR_TRY(auto spill, artifacts_.temporary_path());
      // As much as the machine has: these are the user's data, and not the store's.
      WEIR_TRY(database_,
               store::Database::open_in_memory(
                   {.memory_bytes = {}, .spill_folder = std::move(spill), .spill_bytes = {}}));
    }
    return database_->connect();
  }

  /// Earlier results as views of this session, and files relative to the pipeline's folder.
  std::expected<void, Failure> make_views(const tool::Call& call,
                                          store::Connection& connection) const {
    const auto folder = sql_path(call.folder);
    if (!folder) return sql_failure(call, folder.error());
    auto done = connection.execute("SET file_search_path = " + *folder);
    if (!done) return sql_failure(call, done.error());
    for (const auto& member : call.payload) {
      const auto hash = result_artifact(member.value);
      if (!hash) continue;
      const auto path = artifacts_.path_of(*hash);
      const auto file = sql_path(path);
      if (!file) return sql_failure(call, file.error());
      std::error_code error;
      if (!std::filesystem::exists(path, error)) {
        return failure(call, "ArtifactMissing",
                       "the result '" + member.key + "' is not in the store: " + path.string());
      }
      std::string view = "CREATE TEMP VIEW ";
      view.append(sql_name(member.key)).append(" AS SELECT * FROM read_parquet(");
      done = connection.execute(view.append(*file).append(")"));
      if (!done) return sql_failure(call, done.error());
    }
    return {};
  }

  std::expected<tool::Output, Failure> query_to(const std::filesystem::path& file,
                                                const tool::Call& call, const Names& read,
                                                store::Connection& connection) const {
    const auto query = store::exact_query(*call.with.find("query")->string(), connection);
    if (!query) return sql_failure(call, query.error());
    const auto path = sql_path(file);
    if (!path) return sql_failure(call, path.error());
    if (const auto done = connection.measure(); !done) return sql_failure(call, done.error());
    auto copied = connection.query("COPY (" + *query + ") TO " + *path +
                                   " (FORMAT parquet, COMPRESSION zstd)");
    if (!copied) return sql_failure(call, copied.error());
    const auto cpu_ms = connection.cpu_ms();
    const auto* counted = copied->next();
    const auto rows = counted == nullptr ? 0 : *counted->front().integer();
    const auto* limit = call.with.find("inline_rows");
    if (limit != nullptr && rows > *limit->integer()) {
      return failure(call, "TooManyRows",
                     "the query gave " + std::to_string(rows) + " rows, 'inline_rows' allows " +
                         json::to_text(*limit));
    }
    const auto columns = connection.describe(select_all(*path));
    if (!columns) return sql_failure(call, columns.error());
    auto described = describe(*path, rows, *columns, limit != nullptr, connection);
    if (!described) return sql_failure(call, described.error());
    auto output = keep(file, rows, std::move(*described), call);
    if (!output) return output;
    output->usage.cpu_ms = cpu_ms;
    auto lineage = inputs_of(call.payload, read, connection);
    lineage.set("schema_out", schema_of(*columns));
    tool::take_lineage(lineage, call, *output);
    return output;
  }

  static std::string select_all(const std::string& path) {
    return "SELECT * FROM read_parquet(" + path + ")";
  }

  static json::Array schema_of(const std::vector<store::QueryColumn>& columns) {
    json::Array schema;
    for (const auto& column : columns) {
      json::Object one;
      one.set("name", column.name);
      one.set("type", column.type);
      schema.emplace_back(std::move(one));
    }
    return schema;
  }

  /// Before there are views: what DuckDB knows already, it does not name. Where it says nothing,
  /// as of a PIVOT, nothing is read as far as is known.
  static Names names_read_by(const std::string& query, store::Connection& connection) {
    return connection.table_names(query).value_or(Names());
  }

  /// The earlier results among what the query reads.
  static json::Object inputs_of(const json::Object& payload, const Names& read,
                                store::Connection& connection) {
    json::Object rows, schemas;
    for (const auto& [name, value, position] : payload) {
      const bool is_read = std::any_of(read.begin(), read.end(), [&](const auto& one) {
        return ::strcasecmp(one.c_str(), name.c_str()) == 0;  // as DuckDB compares names
      });
      if (!is_read || !result_artifact(value)) continue;
      rows.set(name, *value.object()->find("rows"));
      const auto columns = connection.describe("SELECT * FROM " + sql_name(name));
      if (columns) schemas.set(name, schema_of(*columns));
    }
    json::Object lineage;
    if (rows.empty()) return lineage;
    lineage.set("rows_in", std::move(rows));
    lineage.set("schema_in", std::move(schemas));
    return lineage;
  }

  /// What the output says of a result in a file; its artifact is still to be filled in.
  static Result<json::Object> describe(const std::string& path, std::int64_t rows,
                                       const std::vector<store::QueryColumn>& columns,
                                       bool with_data, store::Connection& connection) {
    // As they are called in the file, where no two are called the same.
    json::Array names;
    for (const auto& column : columns) names.emplace_back(column.name);
    json::Object described;
    described.set("artifact", nullptr);
    described.set("columns", std::move(names));
    described.set("rows", rows);
    if (with_data) {
      WEIR_TRY(auto result, connection.query(select_all(path)));
      described.set("data", read_rows(result));
    }
    return described;
  }

  static json::Array read_rows(store::Rows& rows) {
    json::Array data;
    while (const auto* row = rows.next()) {
      json::Object object;
      for (std::size_t i = 0; i < row->size(); ++i) object.append({rows.columns()[i], (*row)[i]});
      data.emplace_back(std::move(object));
    }
    return data;
  }

  std::expected<tool::Output, Failure> keep(const std::filesystem::path& file, std::int64_t rows,
                                            json::Object described, const tool::Call& call) const {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) return failure(call, "StorageError", file.string() + ": " + error.message());
    const auto hash = artifacts_.adopt(file);
    if (!hash) return sql_failure(call, hash.error());
    described.set("artifact", hash->text());
    call.kept({.name = std::string(call.node_id) + ".parquet",
               .hash = *hash,
               .size_bytes = size,
               .rows = rows});
    tool::Output output{.payload = {},
                        .usage = {.cpu_ms = {},
                                  .memory_bytes = {},
                                  .rows = rows,
                                  .written_bytes = static_cast<std::int64_t>(size)}};
    output.payload.set(call.node_id, std::move(described));
    return output;
  }

  const artifact::ArtifactStore& artifacts_;
  std::mutex mutex_;
  std::optional<store::Database> database_;  // guarded by mutex_; opened by the first call
  const tool::ToolSpec spec_ = query_spec();
};

}  // namespace

std::unique_ptr<tool::Tool> make_sql_query(const artifact::ArtifactStore& artifacts) {
  return std::make_unique<SqlQuery>(artifacts);
}

}  // namespace weir::plugins
