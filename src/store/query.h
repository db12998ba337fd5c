#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/event_table.h"

namespace weir::store {

/// A database with the store's views (sql/views): `events`, `logs`, `runs`, `nodes`, …
/// What its queries cannot read is added to `bad`.
[[nodiscard]] Result<Database> open_views(const log::StoreDirectory& store,
                                          std::shared_ptr<BadPlaces> bad);

/// The views alone, over whatever `weir_events()` is. Errors: kInvalidInput.
[[nodiscard]] Result<void> create_views(Connection& connection);

/// What is needed to find a run.
struct RunName {
  RunId id;
  bool is_child = false;  ///< another run has started it
};

/// The runs of the store, the newest first, without what processes say of themselves. Errors: as
/// open_views.
[[nodiscard]] Result<std::vector<RunName>> run_names(const log::StoreDirectory& store);

/// A query that answers a common question (sql/cookbook). What it can be told is in variables of
/// the session: `getvariable('run_id')`.
struct Recipe {
  int number = 0;  ///< of the published ones; 0: of ours
  std::string_view name;
  std::string_view question;  ///< its first comment line
  std::string_view sql;
};
[[nodiscard]] std::vector<Recipe> cookbook();

/// Lets the session's queries read a text: `getvariable('name')`. Errors: kInvalidInput.
[[nodiscard]] Result<void> set_variable(Connection& connection, std::string_view name,
                                        std::string_view value);

}  // namespace weir::store
