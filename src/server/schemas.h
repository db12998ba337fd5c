#pragma once

#include "base/json.h"
#include "server/question_desk.h"

namespace weir::server {

/// The schemas of what is asked and answered, by name, as the component `schemas` of OpenAPI.
/// `columns` has the rows (table, column, type) of the store's views: what a list's items are.
[[nodiscard]] json::Object schemas_of(const Table& columns);

/// The question whose answer `schemas_of` takes.
[[nodiscard]] std::string columns_sql();

}  // namespace weir::server
