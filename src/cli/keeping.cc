#include "cli/keeping.h"

#include <cstdio>

#include "cli/command.h"
#include "cli/retention_rules.h"
#include "store/collection.h"
#include "store/compaction.h"

namespace weir::cli {
namespace {

/// Whether it is worth a word: somebody else does it, or there is no DuckDB for it.
bool is_failure(const Error& error) {
  return error.code != ErrorCode::kConflict && error.code != ErrorCode::kUnavailable;
}

void collect_when_due(const log::StoreDirectory& store, const config::Config& settings) {
  if (!settings.retention || !store::is_collection_due(store)) return;
  // Only what is in parts can go.
  const auto compacted = store::compact(store);
  if (!compacted) {
    if (!is_failure(compacted.error())) return;
    std::fprintf(stderr, "weir: the log was not compacted: %s\n",
                 compacted.error().message.c_str());
  }
  const auto done = store::collect(store, {.rules = retention_rules(settings)});
  if (done || !is_failure(done.error())) return;
  std::fprintf(stderr, "weir: old runs were not deleted: %s\n", done.error().message.c_str());
}

}  // namespace

void keep_store(const log::StoreDirectory& store, const config::Config& settings) {
  compact_when_due(store);
  collect_when_due(store, settings);
}

}  // namespace weir::cli
