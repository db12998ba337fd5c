#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

/// DuckDB, wrapped once. No type of its own leaves this module.
namespace weir::store {

/// Quotes a name or a string for SQL.
[[nodiscard]] std::string sql_name(std::string_view name);
[[nodiscard]] std::string sql_string(std::string_view text);

/// The rows of a query, in its order.
class Rows {
 public:
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  [[nodiscard]] const std::vector<std::string>& columns() const;
  /// The next row, a value a column; null after the last. Valid until the next call. Numbers are
  /// numbers (DECIMAL and large HUGEINT as doubles), lists arrays, structs objects; everything else
  /// is text as DuckDB writes it. Timestamps are UTC.
  [[nodiscard]] const std::vector<json::Value>* next();

 private:
  friend class Connection;
  struct Impl;
  explicit Rows(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A column that a query will give.
struct QueryColumn {
  std::string name;
  bool is_hugeint = false;  ///< 128 bits, which Parquet does not have
};

/// One session with a database.
///
/// Threads  One at a time, but for `interrupt`.
class Connection {
 public:
  Connection(Connection&&) noexcept;
  ~Connection();

  /// Runs statements and gives the rows of the last one. Errors: kInvalidInput with DuckDB's
  /// message, kCancelled after `interrupt`.
  [[nodiscard]] Result<Rows> query(const std::string& sql);
  [[nodiscard]] Result<void> execute(const std::string& sql);
  /// What a query would give, without running it. Errors: kInvalidInput for everything but exactly
  /// one query.
  [[nodiscard]] Result<std::vector<QueryColumn>> describe(const std::string& sql);
  /// Ends the statement that runs now, if one does. From any thread.
  void interrupt();

 private:
  friend class Database;
  friend class EventTable;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A database in memory: time zone UTC, and no extensions from the network.
///
/// Threads  Any.
class Database {
 public:
  /// Errors: kUnavailable (no DuckDB).
  [[nodiscard]] static Result<Database> open_in_memory();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  [[nodiscard]] Result<Connection> connect() const;

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::store
