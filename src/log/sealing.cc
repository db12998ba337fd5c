#include "log/sealing.h"

#include <algorithm>
#include <optional>

#include "log/seal_chain.h"

namespace weir::log {
namespace {

class Sealing {
 public:
  Sealing(const StoreDirectory& store, const FinishedBefore& finished)
      : store_(store), files_(store.files()), finished_(finished) {}

  Result<void> seal(const SegmentName& name) {
    const auto path = store_.segment(name);
    auto opened = File::open_to_change(path, files_);
    if (!opened && opened.error().code == ErrorCode::kNotFound) return {};
    WEIR_TRY(auto file, std::move(opened));
    WEIR_TRY(const bool finished, file.try_lock());
    if (!finished) return {};
    // The chain stays locked until all is sealed. Nobody waits for it but who seals, and none of
    // them waits for a segment.
    if (!appender_) {
      // Whoever has made a segment may have been stopped before its name was durable.
      WEIR_TRY(sync_directory(store_.log(), files_));
      WEIR_TRY(auto appender, SealChain::Appender::open(store_));
      appender_.emplace(std::move(appender));
    }
    // Somebody else may have sealed it while we were on our way. Nobody can from here on.
    if (appender_->chain().seals().contains(name)) return {};

    WEIR_TRY(auto size, file.size());
    std::uint64_t dropped = 0;
    if (!finished_ || !finished_(name, size)) {
      WEIR_TRY(dropped, cut_tail(name, file));
      size -= dropped;
    }
    WEIR_TRY(const auto hash, sha256_of_file(path, files_));
    return appender_->append(
        {.segment = name, .bytes = size, .dropped_bytes = dropped, .sha256 = hash});
  }

  /// After a failure: the chain may end with a part of a seal.
  void start_over() { appender_.reset(); }

  std::vector<Salvage>&& salvaged() && { return std::move(salvaged_); }

 private:
  /// Leaves the committed part of the segment, durable. Returns how much was cut off.
  Result<std::uint64_t> cut_tail(const SegmentName& name, File& file) {
    WEIR_TRY(auto reader, SegmentReader::open(file.path(), files_));
    std::uint64_t last_commit = 0;  // where it begins
    while (true) {
      WEIR_TRY(const auto commit, reader.next_commit());
      if (!commit) break;
      last_commit = commit->offset;
    }
    for (const auto& damage : reader.damage()) WEIR_TRY(quarantine(name, file, damage));
    for (const auto& damage : reader.suspects()) WEIR_TRY(quarantine(name, file, damage));
    const auto committed = reader.offset();
    WEIR_TRY(const auto size, file.size());
    if (reader.suspects().empty() && size > committed) {
      salvaged_.push_back({.segment = name,
                           .offset = committed,
                           .size = size - committed,
                           .reason = "left by a crash, never acknowledged"});
    }
    // Also when nothing is to be cut: the writer may have reserved blocks beyond the end.
    WEIR_TRY(file.truncate(committed));
    WEIR_TRY(write_again(file, last_commit, committed));
    WEIR_TRY(file.sync());
    return size - committed;
  }

  /// The last commit may be one whose sync failed: it is in memory, looks good, and no sync would
  /// write it. Of the ones before it the writer knows that they are on disk.
  static Result<void> write_again(File& file, std::uint64_t begin, std::uint64_t end) {
    std::string bytes(end - begin, '\0');
    for (std::uint64_t at = 0; at < bytes.size();) {
      WEIR_TRY(const auto got, file.read_at(begin + at, bytes.data() + at, bytes.size() - at));
      if (got == 0) return fail(ErrorCode::kIo, file.path().string() + ": shorter than it was");
      at += got;
    }
    return file.write_at(begin, bytes);
  }

  Result<void> quarantine(const SegmentName& name, const File& file, const Damage& damage) {
    WEIR_TRY(make_directories(store_.quarantine(), files_));
    const auto path =
        store_.quarantine() / (name.file_name() + "." + std::to_string(damage.offset));
    // A segment may hold more that is damaged than memory does; what is found first tells most.
    std::string bytes(std::min<std::uint64_t>(damage.size, kMaxCommitBytes), '\0');
    WEIR_TRY(const auto got, file.read_at(damage.offset, bytes.data(), bytes.size()));
    bytes.resize(got);
    WEIR_TRY(write_file_durably(path, bytes, files_));
    WEIR_TRY(sync_directory(store_.root(), files_));
    salvaged_.push_back({.segment = name,
                         .offset = damage.offset,
                         .size = damage.size,
                         .reason = damage.reason,
                         .quarantined = true});
    return {};
  }

  const StoreDirectory& store_;
  FileSystem& files_;
  const FinishedBefore& finished_;
  std::optional<SealChain::Appender> appender_;
  std::vector<Salvage> salvaged_;
};

}  // namespace

Result<std::vector<Salvage>> seal_finished(const StoreDirectory& store,
                                           const FinishedBefore& finished) {
  WEIR_TRY(const auto names, store.segment_names());
  WEIR_TRY(const auto chain, SealChain::read(store));
  Sealing sealing(store, finished);
  std::optional<Error> failure;
  for (const auto& name : names) {
    if (chain.seals().contains(name)) continue;
    auto sealed = sealing.seal(name);
    if (sealed) continue;
    if (!failure) failure = std::move(sealed).error();
    sealing.start_over();
  }
  if (failure) return std::unexpected(*failure);
  return std::move(sealing).salvaged();
}

}  // namespace weir::log
