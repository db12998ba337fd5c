#include "store/database.h"

#include "store/connection_impl.h"
#include "store/duckdb_api.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

/// Runs its function when it goes out of scope: for what the C API makes us destroy.
template <class Function>
class Finally {
 public:
  explicit Finally(Function function) : function_(std::move(function)) {}
  ~Finally() { function_(); }
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  Function function_;
};

/// DuckDB 1.4 repeats the line of the error and its mark.
std::string said_once(std::string message) {
  const auto line = message.find("\n\nLINE ");
  if (line == std::string::npos) return message;
  const auto again = message.find("\n\nLINE ", line + 1);
  return again == std::string::npos ? message : message.substr(0, again);
}

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result += quote;
}

}  // namespace

std::string sql_name(std::string_view name) { return quoted(name, '"'); }
std::string sql_string(std::string_view text) { return quoted(text, '\''); }

struct Rows::Impl {
  duckdb_result result{};
  duckdb_data_chunk chunk = nullptr;
  std::size_t next_row = 0;
  std::vector<std::string> columns;
  std::vector<LogicalType> types;
  std::vector<bool> holds_json;  // VARCHAR by type, and known to be JSON
  std::vector<json::Value> row;

  ~Impl() {
    if (chunk != nullptr) duckdb().duckdb_destroy_data_chunk(&chunk);
    duckdb().duckdb_destroy_result(&result);
  }
};

Rows::Rows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;

const std::vector<std::string>& Rows::columns() const { return impl_->columns; }

const std::vector<json::Value>* Rows::next() {
  auto& rows = *impl_;
  while (rows.chunk == nullptr ||
         rows.next_row == duckdb().duckdb_data_chunk_get_size(rows.chunk)) {
    if (rows.chunk != nullptr) duckdb().duckdb_destroy_data_chunk(&rows.chunk);
    rows.chunk = duckdb().duckdb_fetch_chunk(rows.result);
    rows.next_row = 0;
    if (rows.chunk == nullptr) return nullptr;
  }
  for (std::size_t column = 0; column < rows.types.size(); ++column) {
    auto* vector = duckdb().duckdb_data_chunk_get_vector(rows.chunk, column);
    auto& value = rows.row[column] = read_value(vector, rows.types[column].get(), rows.next_row);
    if (rows.holds_json[column] && value.string() != nullptr) {
      if (auto parsed = json::parse(*value.string())) value = std::move(*parsed);
    }
  }
  ++rows.next_row;
  return &rows.row;
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Rows> Connection::query(const std::string& sql) {
  const auto& api = duckdb();
  auto rows = std::make_unique<Rows::Impl>();
  if (api.duckdb_query(impl_->connection, sql.c_str(), &rows->result) == DuckDBError) {
    const char* text = api.duckdb_result_error(&rows->result);
    const auto message = said_once(text == nullptr ? "the query failed" : text);
    const bool interrupted = message.starts_with("INTERRUPT");
    return fail(interrupted ? ErrorCode::kCancelled : ErrorCode::kInvalidInput, message);
  }
  const auto count = api.duckdb_column_count(&rows->result);
  for (idx_t column = 0; column < count; ++column) {
    rows->columns.emplace_back(api.duckdb_column_name(&rows->result, column));
    rows->types.emplace_back(api.duckdb_column_logical_type(&rows->result, column));
    char* alias = api.duckdb_logical_type_get_alias(rows->types.back().get());
    rows->holds_json.push_back(alias != nullptr && std::string_view(alias) == "JSON");
    api.duckdb_free(alias);
  }
  rows->row.resize(count);
  return Rows(std::move(rows));
}

Result<std::vector<QueryColumn>> Connection::describe(const std::string& sql) {
  const auto& api = duckdb();
  duckdb_extracted_statements statements = nullptr;
  const auto count = api.duckdb_extract_statements(impl_->connection, sql.c_str(), &statements);
  const Finally destroy_statements([&] { api.duckdb_destroy_extracted(&statements); });
  if (count == 0) {
    const char* error = api.duckdb_extract_statements_error(statements);
    return fail(ErrorCode::kInvalidInput,
                error == nullptr || *error == '\0' ? "no statement" : error);
  }
  if (count > 1) {
    return fail(ErrorCode::kInvalidInput, std::to_string(count) + " statements, one is expected");
  }
  duckdb_prepared_statement prepared = nullptr;
  const Finally destroy_prepared([&] { api.duckdb_destroy_prepare(&prepared); });
  if (api.duckdb_prepare_extracted_statement(impl_->connection, statements, 0, &prepared) ==
      DuckDBError) {
    return fail(ErrorCode::kInvalidInput, said_once(api.duckdb_prepare_error(prepared)));
  }
  if (api.duckdb_prepared_statement_type(prepared) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return fail(ErrorCode::kInvalidInput,
                "not a query: SELECT, FROM, VALUES or WITH … SELECT is expected");
  }
  std::vector<QueryColumn> columns;
  for (idx_t i = 0; i < api.duckdb_prepared_statement_column_count(prepared); ++i) {
    const char* name = api.duckdb_prepared_statement_column_name(prepared, i);
    const auto type = api.duckdb_prepared_statement_column_type(prepared, i);
    columns.push_back(
        {.name = name, .is_hugeint = type == DUCKDB_TYPE_HUGEINT || type == DUCKDB_TYPE_UHUGEINT});
    api.duckdb_free(const_cast<char*>(name));  // NOLINT: ours to free, though the C API says const
  }
  return columns;
}

Result<void> Connection::execute(const std::string& sql) {
  WEIR_TRY(const auto rows, query(sql));
  return {};
}

void Connection::interrupt() { duckdb().duckdb_interrupt(impl_->connection); }

struct Database::Impl {
  duckdb_database database = nullptr;
  ~Impl() { duckdb().duckdb_close(&database); }
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open_in_memory() {
  WEIR_TRY(const auto* api, load_duckdb());
  duckdb_config config = nullptr;
  if (api->duckdb_create_config(&config) == DuckDBError) {
    return fail(ErrorCode::kUnavailable, "DuckDB has no memory for its configuration");
  }
  for (const char* option : {"autoinstall_known_extensions", "autoload_known_extensions"}) {
    api->duckdb_set_config(config, option, "false");
  }
  auto impl = std::make_unique<Impl>();
  char* message = nullptr;
  const auto state = api->duckdb_open_ext(nullptr, &impl->database, config, &message);
  api->duckdb_destroy_config(&config);
  if (state == DuckDBError) {
    const std::string text = message == nullptr ? "unknown error" : message;
    api->duckdb_free(message);
    return fail(ErrorCode::kUnavailable, "DuckDB does not start: " + text);
  }
  Database database(std::move(impl));
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute("SET GLOBAL TimeZone = 'UTC'"));
  return database;
}

Result<Connection> Database::connect() const {
  auto impl = std::make_unique<Connection::Impl>();
  if (duckdb().duckdb_connect(impl_->database, &impl->connection) == DuckDBError) {
    return fail(ErrorCode::kUnavailable, "DuckDB takes no more connections");
  }
  return Connection(std::move(impl));
}

}  // namespace weir::store
