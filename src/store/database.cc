#include "store/database.h"

#include "store/connection_impl.h"
#include "store/duckdb_api.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

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
    rows.row[column] = read_value(vector, rows.types[column].get(), rows.next_row);
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
    const std::string message = text == nullptr ? "the query failed" : text;
    const bool interrupted = message.starts_with("INTERRUPT");
    return fail(interrupted ? ErrorCode::kCancelled : ErrorCode::kInvalidInput, message);
  }
  const auto count = api.duckdb_column_count(&rows->result);
  for (idx_t column = 0; column < count; ++column) {
    rows->columns.emplace_back(api.duckdb_column_name(&rows->result, column));
    rows->types.emplace_back(api.duckdb_column_logical_type(&rows->result, column));
  }
  rows->row.resize(count);
  return Rows(std::move(rows));
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
