#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "project/run_key.h"
#include "store/database.h"
#include "store/event_table.h"
#include "store/part_check.h"
#include "store/scratch_folder.h"

namespace weir::store {

struct ViewOptions {
  EventTableOptions events{};
  /// Without a folder for what does not fit into memory, this is one below the store's cache; where
  /// nothing can be written, memory has to do.
  DatabaseOptions database{};
  enum class Access : std::uint8_t {
    kOpen,
    kLocked  ///< Database::lock: the parts alone are read
  };
  Access access = Access::kOpen;
  /// Of a locked database: a file that may be written.
  std::optional<std::filesystem::path> output{};
};

/// A database with the store's views (sql/views): `events`, `logs`, `runs`, `nodes`, …
struct Views {
  std::optional<ScratchFolder> scratch;  ///< goes after the database
  Database database;
  log::Manifest manifest;                    ///< of the parts that it reads
  std::vector<std::filesystem::path> files;  ///< these parts
};

/// What the views' queries cannot read is added to `bad`; see EventTable::add. Errors:
/// kInvalidInput, kCorrupt (the manifest), kUnavailable (no DuckDB), kIo.
[[nodiscard]] Result<Views> open_views(const log::StoreDirectory& store,
                                       std::shared_ptr<BadPlaces> bad,
                                       const ViewOptions& options = {});

/// Holds the store's parts against their hashes, and tells `bad` of those that are damaged inside.
/// Whether there is one that it did not know.
[[nodiscard]] bool find_damaged_parts(const log::StoreDirectory& store, BadPlaces& bad);

/// What `read` gives, which opens views with `bad`: where it fails as over a damaged part, once
/// more without those that are.
template <class Read>
[[nodiscard]] std::invoke_result_t<Read> past_damage(const log::StoreDirectory& store,
                                                     BadPlaces& bad, const Read& read) {
  auto result = read();
  if (result || !may_be_damage(result.error()) || !find_damaged_parts(store, bad)) return result;
  return read();
}

/// The views alone, over whatever `weir_events()` is. Errors: kInvalidInput.
[[nodiscard]] Result<void> create_views(Connection& connection);

/// What is needed to find a run.
struct RunName {
  project::RunKey key;
  bool is_child = false;  ///< another run has started it
};

/// The runs of the store, or a tenant's, the newest first, without what processes say of
/// themselves. What cannot be read is added to `bad`. Errors: as Session::ask.
[[nodiscard]] Result<std::vector<RunName>> run_names(const log::StoreDirectory& store,
                                                     const std::shared_ptr<BadPlaces>& bad,
                                                     const std::optional<std::string>& tenant = {});

/// A query that answers a common question (sql/cookbook). What it can be told is in variables of
/// the session: `getvariable('run_id')`.
struct Recipe {
  int number = 0;  ///< of the published ones; 0: of ours
  std::string_view name;
  std::string_view question;  ///< its first comment line
  std::string_view sql;
};
[[nodiscard]] std::vector<Recipe> cookbook();
/// By its name, or its number among the published ones.
[[nodiscard]] std::optional<Recipe> find_recipe(std::string_view name);

/// The names of the variables that it reads, in the order of their first mention.
[[nodiscard]] std::vector<std::string> variables_of(const Recipe& recipe);

/// Lets the session's queries read a text: `getvariable('name')`. Errors: kInvalidInput.
[[nodiscard]] Result<void> set_variable(Connection& connection, std::string_view name,
                                        std::string_view value);

}  // namespace weir::store
