#pragma once

#include <string>

#include "base/json.h"
#include "store/database.h"

namespace weir::store {

/// For tests: all rows of a query as JSON text, or the error.
[[nodiscard]] inline std::string rows_text(Connection& connection, const std::string& sql) {
  auto rows = connection.query(sql);
  if (!rows) return rows.error().message;
  json::Array all;
  while (const auto* row = rows->next()) all.emplace_back(json::Array(row->begin(), row->end()));
  return json::to_text(all);
}

}  // namespace weir::store
