// tidying_process STORE compact KEEP_SECONDS
//                             compacts, a segment or two at a time, and keeps what parts have
//                             replaced only so long: what `weir compact` does ten minutes later
// tidying_process STORE gc KEEP_SECONDS MAX_BYTES
//                             the same, and then deletes the oldest runs until so much is left

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "store/collection.h"
#include "store/compaction.h"

namespace {

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(9);
}

template <class T>
T must(weir::Result<T> result) {
  if (!result) die(result.error().message);
  return *std::move(result);
}

/// Small ones: there are batches to be merged each time.
constexpr std::uint64_t kBatchBytes = std::uint64_t{3} << 20;

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const auto store = must(weir::log::StoreDirectory::create(argv[1]));
  const std::chrono::seconds keep(std::strtol(argv[3], nullptr, 10));
  const auto done = must(weir::store::compact(
      store, {.batch_bytes = kBatchBytes, .keep = keep, .priority = weir::Priority::kPatient}));
  for (const auto& [segment, reason] : done.left) {
    std::printf("left %s: %s\n", segment.file_name().c_str(), reason.c_str());
  }
  std::printf("compacted %llu segments, removed %llu, merged %llu parts\n",
              static_cast<unsigned long long>(done.segments),
              static_cast<unsigned long long>(done.removed_segments),
              static_cast<unsigned long long>(done.merged_parts));
  if (std::strcmp(argv[2], "gc") != 0) return 0;
  if (argc < 5) return 2;
  weir::store::CollectionOptions options{.keep = keep};
  options.rules.max_bytes = std::strtoull(argv[4], nullptr, 10);
  const auto collected = must(weir::store::collect(store, options));
  std::printf("deleted %zu runs, removed %llu parts, rewrote %llu\n", collected.runs.size(),
              static_cast<unsigned long long>(collected.removed_parts),
              static_cast<unsigned long long>(collected.rewritten_parts));
  return 0;
}
