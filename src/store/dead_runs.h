#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "log/manifest.h"
#include "log/store_directory.h"

namespace weir::store {

/// What a row of the table `part`, which is `read_parquet` of this file and others, must be so that
/// no deleted run is seen, as an SQL condition; empty where there is none.
[[nodiscard]] std::string living_sql(const std::filesystem::path& file,
                                     const std::vector<RunId>& dead);
/// The same of some of a store's parts.
[[nodiscard]] std::string living_sql(const log::StoreDirectory& store,
                                     const std::vector<log::Part>& parts);

/// Both conditions, of which each may be empty, and neither has an OR that is not in brackets.
[[nodiscard]] std::string both_sql(const std::string& a, const std::string& b);

}  // namespace weir::store
