#pragma once

#include "base/result.h"
#include "ingest/inbox.h"
#include "log/store_directory.h"

namespace weir::server {

/// Tells an inbox of the events of other systems that the store has of its last day: their keys,
/// and the highest of their numbers. Errors: those of the store.
[[nodiscard]] Result<void> remember_keys(const log::StoreDirectory& store, ingest::Inbox& inbox);

}  // namespace weir::server
