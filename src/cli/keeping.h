#pragma once

#include "base/result.h"
#include "config/config.h"
#include "log/store_directory.h"
#include "store/collection.h"

namespace weir::cli {

/// What a command that has recorded does for its store before it ends: compacts it when it is time
/// and, where `retention` is configured, deletes once a day what is over its age. What goes wrong
/// is said, and is no failure of the command.
void keep_store(const log::StoreDirectory& store, const config::Config& settings);

/// What became of `compact_and_collect`.
struct Tidied {
  Result<void> compacted;
  Result<store::CollectionReport> collected;
};

/// Compacts, since only what is in parts can be deleted, and deletes. A full disk is given the room
/// of files that are not needed any more at once, and is compacted when there is some. A dry run
/// compacts nothing.
[[nodiscard]] Tidied compact_and_collect(const log::StoreDirectory& store,
                                         store::CollectionOptions options);

}  // namespace weir::cli
