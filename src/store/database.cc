#include "store/database.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <future>
#include <utility>

#include "base/priority.h"
#include "base/text.h"
#include "store/connection_impl.h"
#include "store/duckdb_api.h"
#include "store/sql_text.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

/// What DuckDB's messages begin with.
constexpr std::string_view kDuckdbIoError = "IO Error";
constexpr std::string_view kDuckdbOutOfMemory = "Out of Memory Error";

/// Owns what the C API gives, and gives it back to `destroy`.
template <class Handle>
class Owned {
 public:
  explicit Owned(void (*destroy)(Handle*)) : destroy_(destroy) {}
  Owned(Owned&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), destroy_(other.destroy_) {}
  Owned& operator=(Owned&&) = delete;
  ~Owned() { destroy_(&handle_); }  // all of them do nothing for null
  [[nodiscard]] Handle get() const { return handle_; }
  [[nodiscard]] Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
  void (*destroy_)(Handle*);
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

Error of_writing(Error error) {
  if (error.code == ErrorCode::kInvalidInput && error.message.starts_with(kDuckdbIoError)) {
    error.code = ErrorCode::kIo;
  }
  return error;
}

/// There are no codes for it, only the system's words and those of its own limit.
bool is_of_full_disk(const Error& error) {
  const std::string_view said = error.message;
  if (said.starts_with(kDuckdbOutOfMemory)) return said.contains("max_temp_directory_size");
  return said.starts_with(kDuckdbIoError) &&
         (said.contains(std::strerror(ENOSPC)) || said.contains(std::strerror(EDQUOT)));
}

struct Rows::Impl {
  const Connection::Impl* connection = nullptr;
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

namespace {

/// What DuckDB says of a failure.
std::unexpected<Error> failed(const Connection::Impl& impl, const char* message) {
  if (impl.interrupted) return fail(ErrorCode::kCancelled, "the query was interrupted");
  Error error{.code = ErrorCode::kInvalidInput,
              .message = said_once(message == nullptr ? "it failed" : message)};
  if (is_of_full_disk(error)) error.code = ErrorCode::kExhausted;
  return std::unexpected(std::move(error));
}

/// The statements of a text; at least one.
class Statements {
 public:
  /// Errors: kInvalidInput.
  static Result<Statements> of(const Connection::Impl& impl, const std::string& sql) {
    Statements statements;
    statements.count_ = duckdb().duckdb_extract_statements(impl.connection, sql.c_str(),
                                                           statements.extracted_.out());
    if (statements.count_ > 0) return statements;
    const char* error = duckdb().duckdb_extract_statements_error(statements.extracted_.get());
    return failed(impl, error == nullptr || *error == '\0' ? "no statement" : error);
  }
  [[nodiscard]] idx_t count() const { return count_; }
  [[nodiscard]] duckdb_extracted_statements get() const { return extracted_.get(); }

 private:
  Owned<duckdb_extracted_statements> extracted_{duckdb().duckdb_destroy_extracted};
  idx_t count_ = 0;
};

using Prepared = Owned<duckdb_prepared_statement>;

/// Takes the statement: it can be prepared once.
Result<Prepared> prepare(const Connection::Impl& impl, const Statements& statements, idx_t index) {
  const auto& api = duckdb();
  Prepared prepared(api.duckdb_destroy_prepare);
  if (api.duckdb_prepare_extracted_statement(impl.connection, statements.get(), index,
                                             prepared.out()) == DuckDBError) {
    return failed(impl, api.duckdb_prepare_error(prepared.get()));
  }
  return prepared;
}

duckdb_statement_type type_of(const Prepared& prepared) {
  return duckdb().duckdb_prepared_statement_type(prepared.get());
}

bool is_query(const Prepared& prepared) {
  return type_of(prepared) == DUCKDB_STATEMENT_TYPE_SELECT;
}

std::unexpected<Error> not_one(const Statements& statements) {
  return fail(ErrorCode::kInvalidInput,
              std::to_string(statements.count()) + " statements, one is expected");
}

std::unexpected<Error> not_a_question() {
  return fail(ErrorCode::kInvalidInput, std::string(kNoQuestion));
}

/// Whether a text is one query, if DuckDB makes several statements of it: that is PIVOT, which
/// makes types before it asks. DESCRIBE takes a query and nothing else.
bool may_be_pivot(const Connection::Impl& impl, std::string_view sql, idx_t statements) {
  const auto described = Statements::of(impl, "DESCRIBE " + std::string(sql));
  return described && described->count() == statements;
}

/// Whether a text is one query.
bool is_one_query(const Connection::Impl& impl, std::string_view sql) {
  const auto statements = Statements::of(impl, std::string(sql));
  if (!statements) return false;
  if (statements->count() > 1) return may_be_pivot(impl, sql, statements->count());
  const auto prepared = prepare(impl, *statements, 0);
  return prepared && is_query(*prepared);
}

enum class Rowwise : std::uint8_t { kAtOnce, kAsTheyCome };

Result<std::unique_ptr<Rows::Impl>> run_statement(const Connection::Impl& impl,
                                                  const Prepared& prepared,
                                                  Rowwise rowwise = Rowwise::kAtOnce) {
  const auto& api = duckdb();
  // duckdb_interrupt sets a flag that the beginning of a statement clears: one that comes between
  // two statements would be lost. Beginning and running are two calls here, so that we look at our
  // own flag, which stays, after the clearing: an interrupt was before that and is seen and given
  // again now, or comes after it. Either ends the statement; one that is given up without being run
  // would leak what DuckDB has prepared for it.
  Owned<duckdb_pending_result> pending(api.duckdb_destroy_pending);
  const auto begin = rowwise == Rowwise::kAtOnce ? api.duckdb_pending_prepared
                                                 : api.duckdb_pending_prepared_streaming;
  if (begin(prepared.get(), pending.out()) == DuckDBError) {
    return failed(impl, api.duckdb_pending_error(pending.get()));
  }
  if (impl.interrupted) api.duckdb_interrupt(impl.connection);
  auto rows = std::make_unique<Rows::Impl>();
  rows->connection = &impl;
  // A small one may have ended before it looked.
  if (api.duckdb_execute_pending(pending.get(), &rows->result) == DuckDBError || impl.interrupted) {
    return failed(impl, api.duckdb_result_error(&rows->result));
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
  return rows;
}

}  // namespace

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

Result<void> Rows::end() const {
  if (impl_->connection->interrupted) return failed(*impl_->connection, nullptr);
  const char* error = duckdb().duckdb_result_error(&impl_->result);
  if (error == nullptr || *error == '\0') return {};
  return failed(*impl_->connection, error);
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Rows> Connection::query(const std::string& sql, EarlierRows earlier) {
  WEIR_TRY(const auto statements, Statements::of(*impl_, sql));
  for (idx_t i = 0; i + 1 < statements.count(); ++i) {
    WEIR_TRY(const auto prepared, prepare(*impl_, statements, i));
    if (earlier == EarlierRows::kRefused && is_query(prepared)) return not_one(statements);
    WEIR_TRY(run_statement(*impl_, prepared));
  }
  WEIR_TRY(const auto last, prepare(*impl_, statements, statements.count() - 1));
  WEIR_TRY(auto rows, run_statement(*impl_, last));
  return readable(Rows(std::move(rows)), sql);
}

/// EXPLAIN ANALYZE runs whatever it is given, and where its options end is for us to say: what is
/// run is put together of the two, each looked at by itself, and never the text as it came.
Result<Rows> Connection::ask(const std::string& sql) {
  WEIR_TRY(const auto statements, Statements::of(*impl_, sql));
  const auto plans = explained(sql);
  if (plans.empty()) return answer(sql, Answer::kRows);
  for (const auto& plan : plans) {
    if (is_one_query(*impl_, plan.query)) return answer(plan.text(), Answer::kPlan);
  }
  if (statements.count() > 1) return not_one(statements);
  WEIR_TRY(const auto prepared, prepare(*impl_, statements, 0));
  return not_a_question();
}

Result<Rows> Connection::answer(const std::string& sql, Answer kind) {
  WEIR_TRY(const auto statements, Statements::of(*impl_, sql));
  const auto before_last = statements.count() - 1;
  if (before_last > 0 && kind == Answer::kRows && !may_be_pivot(*impl_, sql, statements.count())) {
    return not_one(statements);
  }
  for (idx_t i = 0; i < before_last; ++i) {
    WEIR_TRY(const auto prepared, prepare(*impl_, statements, i));
    if (type_of(prepared) != DUCKDB_STATEMENT_TYPE_CREATE) return not_one(statements);
    WEIR_TRY(run_statement(*impl_, prepared));
  }
  WEIR_TRY(const auto last, prepare(*impl_, statements, before_last));
  const auto type =
      kind == Answer::kPlan ? DUCKDB_STATEMENT_TYPE_EXPLAIN : DUCKDB_STATEMENT_TYPE_SELECT;
  if (type_of(last) != type) return not_a_question();
  WEIR_TRY(auto rows, run_statement(*impl_, last, Rowwise::kAsTheyCome));
  return readable(Rows(std::move(rows)), sql);
}

Result<Rows> Connection::readable(Rows result, const std::string& sql) {
  const auto& rows = result.impl_;
  const auto unreadable =
      std::find_if_not(rows->types.begin(), rows->types.end(),
                       [](const auto& type) { return is_readable(type.get()); });
  if (unreadable == rows->types.end()) return result;
  const auto column = static_cast<std::size_t>(unreadable - rows->types.begin());
  // The C interface has no name for some types; DuckDB's SQL has.
  const auto described = describe(sql);
  const auto type = described ? "the type " + described->at(column).type : "a type";
  return fail(ErrorCode::kInvalidInput, "column '" + rows->columns[column] + "' has " + type +
                                            " that cannot be read: CAST it to VARCHAR");
}

Result<std::vector<QueryColumn>> Connection::describe(const std::string& sql) {
  WEIR_TRY(const auto statements, Statements::of(*impl_, sql));
  const auto describing = "DESCRIBE " + sql;
  const auto split = Statements::of(*impl_, describing);
  if (split && split->count() > statements.count()) {
    return fail(ErrorCode::kInvalidInput, "a semicolon before the query");
  }
  // Of several statements none but a query can be the first, and none but the last can be a query:
  // what is left is PIVOT, which makes types and then asks.
  if (!split && statements.count() > 1) return not_one(statements);
  auto described = query_one(describing);
  if (!described) {
    if (statements.count() > 1) return std::unexpected(std::move(described).error());
    // What is wrong is said of the query itself: of what it is, or with its own lines and columns.
    WEIR_TRY(const auto prepared, prepare(*impl_, statements, 0));
    if (!is_query(prepared)) {
      return fail(ErrorCode::kInvalidInput,
                  "not a query: SELECT, FROM, VALUES or WITH … SELECT is expected");
    }
    return std::unexpected(std::move(described).error());
  }
  std::vector<QueryColumn> columns;
  while (const auto* row = described->next()) {
    columns.push_back({.name = *row->at(0).string(), .type = *row->at(1).string()});
  }
  return columns;
}

Result<std::vector<std::string>> Connection::table_names(const std::string& sql) {
  const auto& api = duckdb();
  auto* list = api.duckdb_get_table_names(impl_->connection, sql.c_str(), false);
  if (list == nullptr) return fail(ErrorCode::kInvalidInput, "DuckDB does not say what it reads");
  std::vector<std::string> names;
  for (idx_t i = 0; i < api.duckdb_get_list_size(list); ++i) {
    auto* name = api.duckdb_get_list_child(list, i);
    char* text = api.duckdb_get_varchar(name);
    names.emplace_back(text);
    api.duckdb_free(text);
    api.duckdb_destroy_value(&name);
  }
  api.duckdb_destroy_value(&list);
  return names;
}

Result<void> Connection::execute(const std::string& sql) {
  WEIR_TRY(const auto rows, query(sql));
  return {};
}

Result<void> Connection::measure() {
  return execute(R"(SET enable_profiling = 'no_output';
                    SET custom_profiling_settings = '{"CPU_TIME": "true"}')");
}

std::optional<double> Connection::cpu_ms() {
  const auto& api = duckdb();
  const auto info = api.duckdb_get_profiling_info(impl_->connection);
  if (info == nullptr) return {};
  auto value = api.duckdb_profiling_info_get_value(info, "CPU_TIME");
  if (value == nullptr) return {};
  char* text = api.duckdb_get_varchar(value);
  double seconds = 0;
  std::from_chars(text, text + std::strlen(text), seconds);
  api.duckdb_free(text);
  api.duckdb_destroy_value(&value);
  return seconds * 1000;
}

void Connection::interrupt() {
  impl_->interrupted = true;  // first: see run_statement
  duckdb().duckdb_interrupt(impl_->connection);
}

ChunkStream::ChunkStream(std::unique_ptr<Rows::Impl> rows) : rows_(std::move(rows)) {}
ChunkStream::ChunkStream(ChunkStream&&) noexcept = default;
ChunkStream& ChunkStream::operator=(ChunkStream&&) noexcept = default;
ChunkStream::~ChunkStream() = default;

Result<ChunkStream> ChunkStream::open(Connection& connection, const std::string& sql) {
  const auto& api = duckdb();
  const auto& impl = connection.impl();
  WEIR_TRY(const auto statements, Statements::of(impl, sql));
  WEIR_TRY(const auto prepared, prepare(impl, statements, 0));
  Owned<duckdb_pending_result> pending(api.duckdb_destroy_pending);
  if (api.duckdb_pending_prepared_streaming(prepared.get(), pending.out()) == DuckDBError) {
    return failed(impl, api.duckdb_pending_error(pending.get()));
  }
  auto rows = std::make_unique<Rows::Impl>();
  rows->connection = &impl;
  if (api.duckdb_execute_pending(pending.get(), &rows->result) == DuckDBError) {
    return failed(impl, api.duckdb_result_error(&rows->result));
  }
  const auto count = api.duckdb_column_count(&rows->result);
  for (idx_t i = 0; i < count; ++i) {
    rows->columns.emplace_back(api.duckdb_column_name(&rows->result, i));
  }
  return ChunkStream(std::move(rows));
}

const std::vector<std::string>& ChunkStream::columns() const { return rows_->columns; }

Result<duckdb_data_chunk> ChunkStream::next() {
  const auto& api = duckdb();
  auto& rows = *rows_;
  if (rows.chunk != nullptr) api.duckdb_destroy_data_chunk(&rows.chunk);
  rows.chunk = api.duckdb_fetch_chunk(rows.result);
  if (rows.chunk != nullptr) return rows.chunk;
  // A stream that fails just ends.
  const char* error = api.duckdb_result_error(&rows.result);
  if (error != nullptr && *error != '\0') return failed(*rows.connection, error);
  return nullptr;
}

struct Database::Impl {
  duckdb_database database = nullptr;
  ~Impl() { duckdb().duckdb_close(&database); }
};

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open_in_memory(const DatabaseOptions& options) {
  WEIR_TRY(const auto* api, load_duckdb());
  duckdb_config config = nullptr;
  if (api->duckdb_create_config(&config) == DuckDBError) {
    return fail(ErrorCode::kUnavailable, "DuckDB has no memory for its configuration");
  }
  const auto set = [&](const char* option, const std::string& value) {
    api->duckdb_set_config(config, option, value.c_str());
  };
  set("autoinstall_known_extensions", "false");
  set("autoload_known_extensions", "false");
  // The kernel keeps what was read of files; a second copy would stay as long as the database.
  set("enable_external_file_cache", "false");
  if (options.memory_bytes) set("memory_limit", std::to_string(*options.memory_bytes) + "B");
  if (options.threads) set("threads", std::to_string(*options.threads));
  if (!options.spill_folder.empty()) {
    set("temp_directory", options.spill_folder.string());
  }
  auto impl = std::make_unique<Impl>();
  char* message = nullptr;
  // Its threads have the priority of who opens it.
  const auto state = std::async(std::launch::async, [&] {
                       set_thread_priority(Priority::kPatient);
                       return api->duckdb_open_ext(nullptr, &impl->database, config, &message);
                     }).get();
  api->duckdb_destroy_config(&config);
  if (state == DuckDBError) {
    const std::string text = message == nullptr ? "unknown error" : message;
    api->duckdb_free(message);
    return fail(ErrorCode::kUnavailable, "DuckDB does not start: " + text);
  }
  Database database(std::move(impl));
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute("SET GLOBAL TimeZone = 'UTC'"));
  // Given at the start, or not at all, "nowhere" would be `.tmp` in the working folder.
  if (options.spill_folder.empty()) {
    WEIR_TRY(connection.execute("SET GLOBAL temp_directory = ''"));
  } else if (options.spill_bytes) {
    // Given at the start, it would not count.
    WEIR_TRY(connection.execute("SET GLOBAL max_temp_directory_size = '" +
                                std::to_string(*options.spill_bytes) + "B'"));
  }
  return database;
}

Result<void> Database::lock(std::span<const std::filesystem::path> files) const {
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const auto& file : files) paths.push_back(sql_string(file.string()));
  WEIR_TRY(auto connection, connect());
  WEIR_TRY(connection.execute("SET GLOBAL allowed_paths = [" + text::join(paths) + "]"));
  WEIR_TRY(connection.execute("SET GLOBAL enable_external_access = false"));
  return connection.execute("SET GLOBAL lock_configuration = true");
}

Result<Connection> Database::connect() const {
  auto impl = std::make_unique<Connection::Impl>();
  if (duckdb().duckdb_connect(impl_->database, &impl->connection) == DuckDBError) {
    return fail(ErrorCode::kUnavailable, "DuckDB takes no more connections");
  }
  return Connection(std::move(impl));
}

}  // namespace weir::store
