#include "cli/keeping.h"

#include <cstdio>
#include <utility>

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
  const auto [compacted, collected] =
      compact_and_collect(store, {.rules = retention_rules(settings)});
  if (!compacted && is_failure(compacted.error())) {
    std::fprintf(stderr, "weir: the log was not compacted: %s\n",
                 compacted.error().message.c_str());
  }
  if (collected || !is_failure(collected.error())) return;
  std::fprintf(stderr, "weir: old runs were not deleted: %s\n", collected.error().message.c_str());
}

/// On a full disk there may be no room for parts; what is kept for that day is for the deletion.
Result<void> make_parts(const log::StoreDirectory& store, std::chrono::seconds keep) {
  const auto done =
      store::compact(store, {.keep = keep, .reserve = store::CompactionOptions::Reserve::kStays});
  return done ? Result<void>() : std::unexpected(done.error());
}

}  // namespace

Tidied compact_and_collect(const log::StoreDirectory& store, store::CollectionOptions options) {
  Result<void> compacted;
  if (!options.dry_run) compacted = make_parts(store, options.keep);
  const bool disk_is_full = !compacted && compacted.error().code == ErrorCode::kExhausted;
  const auto keep = options.keep;
  if (disk_is_full) options.keep = {};
  auto collected = store::collect(store, options);
  if (collected && disk_is_full) compacted = make_parts(store, keep);  // there may be room now
  return {std::move(compacted), std::move(collected)};
}

void keep_store(const log::StoreDirectory& store, const config::Config& settings) {
  compact_when_due(store);
  collect_when_due(store, settings);
}

}  // namespace weir::cli
