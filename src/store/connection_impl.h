#pragma once

#include "store/database.h"
#include "store/duckdb_api.h"

namespace weir::store {

struct Connection::Impl {
  duckdb_connection connection = nullptr;
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { duckdb().duckdb_disconnect(&connection); }
};

}  // namespace weir::store
