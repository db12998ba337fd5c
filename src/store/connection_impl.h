#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "store/database.h"
#include "store/duckdb_api.h"

namespace weir::store {

struct Connection::Impl {
  duckdb_connection connection = nullptr;
  std::atomic<bool> interrupted = false;  // for good; see run_statement
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { duckdb().duckdb_disconnect(&connection); }
};

/// Gets the column names, and then each chunk of rows.
struct ChunkHandler {
  std::function<void(const std::vector<std::string>& columns)> begin;
  std::function<Result<void>(duckdb_data_chunk chunk)> take;
};

/// Runs one statement and hands over its rows as they come: only a few of them are in memory.
/// Errors: as Connection::query, and those of the handler.
[[nodiscard]] Result<void> stream(Connection& connection, const std::string& sql,
                                  const ChunkHandler& handler);

}  // namespace weir::store
