#pragma once

#include <atomic>

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

}  // namespace weir::store
