#pragma once

#include "config/config.h"
#include "log/store_directory.h"

namespace weir::cli {

/// What a command that has recorded does for its store before it ends: compacts it when it is time
/// and, where `retention` is configured, deletes once a day what is over its age. What goes wrong
/// is said, and is no failure of the command.
void keep_store(const log::StoreDirectory& store, const config::Config& settings);

}  // namespace weir::cli
