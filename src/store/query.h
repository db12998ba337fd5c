#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/event_table.h"

namespace weir::store {

/// A database with the store's views (sql/views): `events`, `logs`, `runs`, `nodes`.
/// What its queries cannot read is added to `bad`.
[[nodiscard]] Result<Database> open_views(const log::StoreDirectory& store,
                                          std::shared_ptr<BadPlaces> bad);

/// A query that answers a common question (sql/cookbook).
struct Recipe {
  std::string_view name;
  std::string_view question;  ///< its first comment line
  std::string_view sql;
};
[[nodiscard]] std::vector<Recipe> cookbook();

}  // namespace weir::store
