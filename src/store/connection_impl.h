#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

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

/// The rows of one statement as they come: only a few of them are in memory.
class ChunkStream {
 public:
  /// Errors: as Connection::query.
  [[nodiscard]] static Result<ChunkStream> open(Connection& connection, const std::string& sql);
  ChunkStream(ChunkStream&&) noexcept;
  ChunkStream& operator=(ChunkStream&&) noexcept;
  ~ChunkStream();

  [[nodiscard]] const std::vector<std::string>& columns() const;
  /// Valid until the next call; null after the last. Errors: as Connection::query.
  [[nodiscard]] Result<duckdb_data_chunk> next();

 private:
  explicit ChunkStream(std::unique_ptr<Rows::Impl> rows);
  std::unique_ptr<Rows::Impl> rows_;
};

}  // namespace weir::store
