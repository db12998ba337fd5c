#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/database.h"

namespace weir::store {

/// The query as it may stand in a COPY to Parquet, which has not all types of DuckDB: without this,
/// DuckDB would write 128-bit integers as doubles, times without their zone, intervals without
/// their microseconds. Its order and its names stay; of equal names COPY makes `x`, `x_1`, …
/// Errors: kInvalidInput, naming the column. A value that its Parquet type cannot hold is an error
/// of the query when it runs.
[[nodiscard]] Result<std::string> exact_query(const std::string& query, Connection& connection);

/// The type as which values of `type` keep their value in Parquet; both as DuckDB writes types, so
/// "STRUCT(a HUGEINT)" becomes "STRUCT(a DECIMAL(38, 0))". Errors: kInvalidInput when there is
/// none.
[[nodiscard]] Result<std::string> parquet_type(std::string_view type);

}  // namespace weir::store
