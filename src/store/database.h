#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

/// DuckDB, wrapped once. No type of its own leaves this module.
namespace weir::store {

/// Quotes a name or a string for SQL.
[[nodiscard]] std::string sql_name(std::string_view name);
[[nodiscard]] std::string sql_string(std::string_view text);

/// The error of a COPY to a file, of whose sources nothing is wrong: where DuckDB could not write
/// it, kIo in the place of kInvalidInput.
[[nodiscard]] Error of_writing(Error error);
/// Whether DuckDB has found no room for what it writes or puts aside.
[[nodiscard]] bool is_of_full_disk(const Error& error);

/// The rows of a query, in its order.
class Rows {
 public:
  struct Impl;  // DuckDB's
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  [[nodiscard]] const std::vector<std::string>& columns() const;
  /// The next row, a value a column; null after the last. Valid until the next call.
  ///
  ///   numbers          numbers; DECIMAL with a scale, and integers over 64 bits, as doubles
  ///   lists, arrays    arrays; a MAP is an array of {"key", "value"}
  ///   structs          objects; arrays when their fields have no names
  ///   UNION            the value of the member that is set
  ///   JSON             what it says
  ///   BLOB             text: \x, then hex
  ///   everything else  text as DuckDB writes it; TIMESTAMP with all six decimals, or none
  ///
  /// Timestamps are UTC.
  [[nodiscard]] const std::vector<json::Value>* next();
  /// After the last: whether these were all. Of `ask` only; otherwise they are. Errors: as `ask`.
  [[nodiscard]] Result<void> end() const;

 private:
  friend class Connection;
  explicit Rows(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The error of Connection::ask for what is no question.
inline constexpr std::string_view kNoQuestion =
    "only questions are answered: SELECT, FROM, VALUES, WITH, DESCRIBE, SHOW, SUMMARIZE, PIVOT, "
    "and "
    "EXPLAIN of these";

/// A column that a query will give.
struct QueryColumn {
  std::string name;
  std::string type;  ///< as DuckDB writes it: "STRUCT(a INTEGER[])"
};

/// One session with a database.
///
/// Threads  One at a time, but for `interrupt`.
class Connection {
 public:
  struct Impl;  // DuckDB's
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// Runs statements and gives the rows of the last one. Errors: kInvalidInput with DuckDB's
  /// message, or for a column of a type that we cannot read, naming both; kExhausted where the disk
  /// is full, of what it writes or puts aside; kCancelled after `interrupt`.
  [[nodiscard]] Result<Rows> query(const std::string& sql) {
    return query(sql, EarlierRows::kDropped);
  }
  /// The same, refusing a query before the last statement: nobody would see its rows. PIVOT is a
  /// statement that makes a type and one that asks, so that the number alone says nothing.
  [[nodiscard]] Result<Rows> query_one(const std::string& sql) {
    return query(sql, EarlierRows::kRefused);
  }
  [[nodiscard]] Result<void> execute(const std::string& sql);
  /// The rows of a question, as they are made: few of them are in memory. A question is one query
  /// (DuckDB calls SHOW, DESCRIBE, SUMMARIZE and PIVOT that, too), or EXPLAIN of one. The
  /// connection must outlive the rows. Errors: as `query`; kInvalidInput for all that is no
  /// question.
  [[nodiscard]] Result<Rows> ask(const std::string& sql);
  /// What a query would give, without running it: but PIVOT has to look for its columns. Errors:
  /// kInvalidInput for everything but exactly one query.
  [[nodiscard]] Result<std::vector<QueryColumn>> describe(const std::string& sql);
  /// The tables and files that a query reads and this session does not know, as the query calls
  /// them. Errors: kInvalidInput.
  [[nodiscard]] Result<std::vector<std::string>> table_names(const std::string& sql);
  /// From here on it counts what its statements take. Errors: as `query`.
  [[nodiscard]] Result<void> measure();
  /// The processor time of the last statement in all of DuckDB's threads, in milliseconds. Nothing:
  /// it was not measured, or has failed.
  [[nodiscard]] std::optional<double> cpu_ms();
  /// Ends the statement that runs now, if one does, and lets none begin any more. From any thread.
  void interrupt();

  /// DuckDB's, for this module.
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  friend class Database;
  enum class EarlierRows : std::uint8_t { kDropped, kRefused };
  [[nodiscard]] Result<Rows> query(const std::string& sql, EarlierRows earlier);
  enum class Answer : std::uint8_t { kRows, kPlan };
  [[nodiscard]] Result<Rows> answer(const std::string& sql, Answer kind);
  [[nodiscard]] Result<Rows> readable(Rows result, const std::string& sql);
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct DatabaseOptions {
  /// None: four fifths of the machine's.
  std::optional<std::uint64_t> memory_bytes = std::uint64_t{768} << 20;
  std::optional<int> threads{};  ///< none: as many as the machine has
  /// Where it puts what does not fit into memory; empty: nowhere.
  std::filesystem::path spill_folder{};
  /// At most so much of it; none: nine tenths of what is free.
  std::optional<std::uint64_t> spill_bytes = std::uint64_t{8} << 30;
};

/// A database in memory: time zone UTC, and no extensions from the network.
///
/// Threads  Any.
class Database {
 public:
  /// Errors: kUnavailable (no DuckDB).
  [[nodiscard]] static Result<Database> open_in_memory(const DatabaseOptions& options = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  [[nodiscard]] Result<Connection> connect() const;
  /// From now on nothing outside is read or written but these files, and what it spills itself, and
  /// no setting changes. Errors: kInvalidInput.
  [[nodiscard]] Result<void> lock(std::span<const std::filesystem::path> files) const;

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::store
