#include <mutex>
#include <optional>

#include "plugins/plugins.h"
#include "store/database.h"

namespace weir::plugins {
namespace {

using store::sql_name;
using store::sql_string;
using tool::Failure;

std::unexpected<Failure> failure(const tool::Call& call, std::string type, std::string message) {
  return std::unexpected(
      Failure{.type = std::move(type),
              .message = "node '" + std::string(call.node_id) + "': " + std::move(message),
              .exit_code = {},
              .usage = {}});
}

std::unexpected<Failure> failure(const tool::Call& call, const Error& error) {
  return failure(call, error.code == ErrorCode::kInvalidInput ? "SqlError" : "StorageError",
                 error.message);
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

/// Ends at the last character that means something: the query becomes part of a larger one.
std::string_view without_semicolon(std::string_view query) {
  const auto end = query.find_last_not_of("; \t\r\n");
  return query.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

class SqlQuery final : public tool::Tool {
 public:
  explicit SqlQuery(const artifact::ArtifactStore& artifacts) : artifacts_(artifacts) {}

  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }

  [[nodiscard]] std::expected<tool::Output, Failure> run(const tool::Call& call) override {
    auto connection = connect();
    if (!connection) return failure(call, connection.error());
    const std::stop_callback on_stop(call.stop, [&] { connection->interrupt(); });
    if (auto prepared = make_views(call, *connection); !prepared)
      return std::unexpected(prepared.error());

    auto file = artifacts_.temporary_path();
    if (!file) return failure(call, file.error());
    auto output = query_to(*file, call, *connection);
    std::error_code ignored;
    std::filesystem::remove(*file, ignored);  // there only after a failure
    return output;
  }

 private:
  /// One database for all calls, so that they share its memory limit and threads.
  Result<store::Connection> connect() {
    const std::lock_guard lock(mutex_);
    if (!database_) {
      WEIR_TRY(database_, store::Database::open_in_memory());
    }
    return database_->connect();
  }

  /// Earlier results as views of this session, and files relative to the pipeline's folder.
  std::expected<void, Failure> make_views(const tool::Call& call,
                                          store::Connection& connection) const {
    const auto folder = std::filesystem::absolute(call.folder).string();
    auto done = connection.execute("SET file_search_path = " + sql_string(folder));
    if (!done) return failure(call, done.error());
    for (const auto& member : call.payload) {
      const auto hash = result_artifact(member.value);
      if (!hash) continue;
      const auto path = artifacts_.path_of(*hash);
      if (!std::filesystem::exists(path)) {
        return failure(call, "ArtifactMissing",
                       "the result '" + member.key + "' is not in the store: " + path.string());
      }
      done = connection.execute("CREATE TEMP VIEW " + sql_name(member.key) +
                                " AS SELECT * FROM read_parquet(" +
                                sql_string(std::filesystem::absolute(path).string()) + ")");
      if (!done) return failure(call, done.error());
    }
    return {};
  }

  std::expected<tool::Output, Failure> query_to(const std::filesystem::path& file,
                                                const tool::Call& call,
                                                store::Connection& connection) const {
    const auto query = exact_query(*call.with.find("query")->string(), connection);
    if (!query) return failure(call, query.error());
    const auto table = "read_parquet(" + sql_string(std::filesystem::absolute(file).string()) + ")";
    // An interrupt ends the statement that runs when it comes, and none that comes later.
    if (call.stop.stop_requested()) return failure(call, "Cancelled", "the run ends");
    auto copied = connection.query("COPY (" + *query + ") TO " +
                                   sql_string(std::filesystem::absolute(file).string()) +
                                   " (FORMAT parquet, COMPRESSION zstd)");
    if (!copied) return failure(call, copied.error());
    const auto* counted = copied->next();
    const auto rows = counted == nullptr ? 0 : *counted->front().integer();

    auto result = connection.query("SELECT * FROM " + table);
    if (!result) return failure(call, result.error());
    json::Array columns;
    for (const auto& name : result->columns()) columns.emplace_back(name);
    json::Object described;
    described.set("artifact", nullptr);
    described.set("columns", std::move(columns));
    described.set("rows", rows);
    if (const auto* limit = call.with.find("inline_rows")) {
      if (rows > *limit->integer()) {
        return failure(call, "TooManyRows",
                       "the query gave " + std::to_string(rows) + " rows, 'inline_rows' allows " +
                           json::to_text(*limit));
      }
      described.set("data", read_rows(*result));
    }
    return keep(file, rows, std::move(described), call);
  }

  /// The query as it may stand in a COPY. Parquet has no 128-bit integers, and DuckDB would write
  /// doubles, so what sum() gives becomes DECIMAL(38,0). Errors: kInvalidInput.
  static Result<std::string> exact_query(const std::string& query, store::Connection& connection) {
    WEIR_TRY(const auto columns, connection.describe(query));
    std::string replaced;
    for (const auto& column : columns) {
      if (!column.is_hugeint) continue;
      const auto name = sql_name(column.name);
      replaced +=
          (replaced.empty() ? "" : ", ") + ("CAST(" + name + " AS DECIMAL(38, 0)) AS ") + name;
    }
    // The newline ends a comment that may end the query.
    auto text = std::string(without_semicolon(query)) + "\n";
    if (replaced.empty()) return text;
    return "SELECT * REPLACE (" + replaced + ") FROM (" + text + ")";
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
    const auto hash = artifacts_.adopt(file);
    if (!hash) return failure(call, hash.error());
    described.set("artifact", hash->text());
    call.kept({.name = std::string(call.node_id) + ".parquet",
               .hash = *hash,
               .size_bytes = size,
               .rows = rows});
    tool::Output output{.payload = {}, .usage = {.cpu_ms = {}, .memory_bytes = {}, .rows = rows}};
    output.payload.set(call.node_id, std::move(described));
    return output;
  }

  const artifact::ArtifactStore& artifacts_;
  std::mutex mutex_;
  std::optional<store::Database> database_;  // guarded by mutex_; opened by the first call
  const tool::ToolSpec spec_{
      .plugin_id = "sql",
      .tool_id = "query",
      .settings = {{.name = "query", .kind = tool::Setting::Kind::kString, .required = true},
                   {.name = "inline_rows", .kind = tool::Setting::Kind::kInteger}}};
};

}  // namespace

std::unique_ptr<tool::Tool> make_sql_query(const artifact::ArtifactStore& artifacts) {
  return std::make_unique<SqlQuery>(artifacts);
}

}  // namespace weir::plugins
