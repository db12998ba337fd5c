#include "store/compaction.h"

#include <pthread.h>

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "base/priority.h"
#include "log/cursor.h"
#include "log/manifest.h"
#include "log/reserve.h"
#include "log/seal_chain.h"
#include "log/sealing.h"
#include "store/batch.h"
#include "store/history.h"
#include "store/part_folder.h"
#include "store/rollup.h"

namespace weir::store {
namespace {

/// Batches that are made at once, beside the one that is read.
constexpr std::size_t kWriters = 2;

class Compaction {
 public:
  /// `keep_retired` is how long replaced parts stay.
  Compaction(PartFolder folder, const CompactionOptions& options, std::chrono::seconds keep_retired)
      : folder_(std::move(folder)),
        store_(folder_.store()),
        options_(options),
        keep_retired_(keep_retired),
        loader_(folder_.store()) {
    report_.manifest_damage = folder_.manifest_damage();
  }

  Result<CompactionReport> run() {
    auto done = run_steps();
    if (!done) {
      making_.clear();  // waits for them
      folder_.empty_scratch();
    }
    return done;
  }

 private:
  Result<CompactionReport> run_steps() {
    // What goes makes room for what comes.
    WEIR_TRY(remove_replaced());
    WEIR_TRY_VOID(folder_.remove_retired(options_.clock.now(), keep_retired_));
    WEIR_TRY(log::seal_finished(store_));
    WEIR_TRY(const auto chain, log::SealChain::read(store_));
    seals_ = chain.seals();
    // Once more for each segment in which a line turns out to be none.
    for (bool is_done = false; !is_done;) {
      WEIR_TRY(is_done, replace_all());
    }
    WEIR_TRY(remove_replaced());
    // Before batches are merged: of those with a part that cannot be read the others are summed up.
    WEIR_TRY(report_.rollups, update_rollups(store_, folder_.manifest(),
                                             {.scratch = options_.scratch, .keep = options_.keep}));
    WEIR_TRY(merge());
    WEIR_TRY_VOID(folder_.remove_retired(options_.clock.now(), keep_retired_));
    name_bad_parts();
    WEIR_TRY(report_.foreign, foreign_files(store_, folder_.manifest()));
    return std::move(report_);
  }

  // ---- what goes, and what stays --------------------------------------------------------------

  bool may_go(const log::SegmentName& name, Loaded& loaded) {
    const auto seal = seals_.find(name);
    if (seal == seals_.end()) return false;  // it is being written
    if (const auto known = bad_segments_.find(name); known != bad_segments_.end()) {
      loaded.damage = known->second;
    }
    if (loaded.damage.empty() && loaded.sha256 != seal->second.sha256) {
      loaded.damage = "is not as it was sealed";
    }
    if (loaded.damage.empty() && left_writers_.contains(name.writer)) {
      loaded.damage = "an earlier segment of its writer stays";
    }
    if (loaded.damage.empty() && std::ranges::any_of(loaded.rows, [&](const Row& row) {
          return left_runs_.contains(row.run);
        })) {
      loaded.damage = "an earlier segment of one of its runs stays";
    }
    return loaded.damage.empty();
  }

  void leave(const log::SegmentName& name, const Loaded& loaded) {
    left_writers_.insert(name.writer);
    for (const auto& row : loaded.rows) left_runs_.insert(row.run);
    if (!loaded.damage.empty()) report_.left.push_back({name, loaded.damage});
  }

  // ---- from segments to parts -----------------------------------------------------------------

  /// A batch whose parts are being made.
  struct Making {
    std::shared_ptr<Batch> batch;
    std::shared_ptr<PartWriter> writer;
    std::future<Result<MadeParts>> parts;
  };

  /// False when a line was none: its segment is known now.
  Result<bool> replace_all() {
    left_writers_.clear();
    left_runs_.clear();
    report_.left.clear();
    WEIR_TRY(const auto names, store_.segment_names());
    const auto before = folder_.manifest();
    auto batch = std::make_shared<Batch>();
    for (const auto& name : names) {
      if (before.has_replaced(name)) continue;
      WEIR_TRY(const auto is_good, make_room_for(name, batch));
      if (!is_good) return false;
      WEIR_TRY(auto loaded, loader_.load(name));
      report_.most_bytes =
          std::max(report_.most_bytes, bytes_in_memory() + batch->bytes() + loaded.bytes.size());
      if (!may_go(name, loaded)) {
        leave(name, loaded);
        continue;
      }
      if (batch->segments() > 0 && is_too_much(*batch, loaded)) {
        WEIR_TRY(const bool is_made, make(std::exchange(batch, std::make_shared<Batch>())));
        if (!is_made) return false;
      }
      batch->add(name, std::move(loaded));
    }
    if (batch->segments() > 0) {
      WEIR_TRY(const bool is_good, make(std::move(batch)));
      if (!is_good) return false;
    }
    while (!making_.empty()) {
      WEIR_TRY(const bool is_good, finish_first());
      if (!is_good) return false;
    }
    return true;
  }

  [[nodiscard]] bool is_too_much(const Batch& batch, const Loaded& more) const {
    return batch.bytes() + more.bytes.size() > options_.batch_bytes / (kWriters + 1) ||
           batch.places_with(more) > options_.batch_places;
  }

  [[nodiscard]] std::uint64_t bytes_in_memory() const {
    std::uint64_t bytes = 0;
    for (const auto& making : making_) bytes += making.batch->bytes();
    return bytes;
  }

  /// Finishes batches until the segment may be in memory, too; at last the one that is gathered.
  Result<bool> make_room_for(const log::SegmentName& name, std::shared_ptr<Batch>& gathered) {
    WEIR_TRY(const auto file, File::open_to_read(store_.segment(name), store_.files()));
    WEIR_TRY(const auto size, file.size());
    const auto is_too_much = [&] {
      return bytes_in_memory() + gathered->bytes() + size > options_.batch_bytes;
    };
    while (is_too_much() && (gathered->segments() > 0 || !making_.empty())) {
      if (making_.empty()) WEIR_TRY_VOID(make(std::exchange(gathered, std::make_shared<Batch>())));
      WEIR_TRY(const bool is_good, finish_first());
      if (!is_good) return false;
    }
    return true;
  }

  /// Threads touch DuckDB's file alone: the store is this thread's.
  Result<bool> make(std::shared_ptr<Batch> batch) {
    if (making_.size() == kWriters) {
      WEIR_TRY(const bool is_good, finish_first());
      if (!is_good) return false;
    }
    const auto number = folder_.manifest().number() + making_.size() + 1;
    // What a writer has in memory the next batch uses again.
    std::shared_ptr<PartWriter> writer;
    if (free_writers_.empty()) {
      const auto name = "spill-" + std::to_string(++writers_);
      WEIR_TRY(auto opened, PartWriter::open(folder_.scratch() / name));
      writer = std::make_shared<PartWriter>(std::move(opened));
    } else {
      writer = std::move(free_writers_.back());
      free_writers_.pop_back();
    }
    auto parts =
        std::async(std::launch::async, [batch, writer, number, folder = folder_.scratch()] {
          pthread_setname_np(pthread_self(), "weir-parts");
          return batch->make_parts(*writer, number, folder);
        });
    making_.push_back({std::move(batch), std::move(writer), std::move(parts)});
    return true;
  }

  Result<bool> finish_first() {
    auto [batch, writer, future] = std::move(making_.front());
    making_.pop_front();
    WEIR_TRY(auto parts, future.get());
    free_writers_.push_back(std::move(writer));
    for (auto& bytes : batch->take_bytes()) loader_.reuse(std::move(bytes));
    if (parts.bad) {
      bad_segments_.emplace(std::move(parts.bad->segment), std::move(parts.bad->reason));
      making_.clear();  // waits for them; they have the wrong numbers now
      return false;
    }
    std::vector<log::Part> entries;
    entries.reserve(parts.parts.size());
    for (auto& made : parts.parts) entries.push_back(std::move(made.part));
    if (!entries.empty()) WEIR_TRY(folder_.announce(entries));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      WEIR_TRY(folder_.put(entries[i], parts.parts[i].bytes));
      report_.events += entries[i].events;
      report_.part_bytes += entries[i].bytes;
    }
    report_.parts += entries.size();
    report_.duplicates += parts.duplicates;
    report_.segments += batch->segments();
    report_.segment_bytes += batch->bytes();
    auto entry = batch->entry();
    entry.at = options_.clock.now();
    WEIR_TRY(folder_.replace(folder_.manifest().with(std::move(entry), std::move(entries))));
    return true;
  }

  // ---- from small parts to larger ones --------------------------------------------------------

  Result<void> merge() {
    WEIR_TRY(auto merged, merge_small_parts(folder_, options_.merge, options_.clock.now()));
    report_.duplicates += merged.duplicates;
    report_.merged_parts = merged.from;
    report_.merged_into = merged.into;
    report_.left_parts = std::move(merged.left);
    return {};
  }

  /// Those that nobody could have met are looked at here.
  void name_bad_parts() {
    std::set<std::string, std::less<>> named;
    for (const auto& part : report_.left_parts) named.insert(part.file);
    for (const auto& part : folder_.manifest().parts()) {
      auto damage = part_damage(store_, part);
      if (damage && !named.contains(part.file)) {
        report_.left_parts.push_back({part.file, *std::move(damage)});
      }
    }
  }

  // ---- what is not needed any more ------------------------------------------------------------

  Result<void> remove_replaced() {
    const auto now = options_.clock.now();
    WEIR_TRY(const auto cursors, log::registered_cursors(store_));
    std::uint64_t held = 0;  // bytes that only cursors need
    const auto& batches = folder_.manifest().batches();
    // The newest first: those are what the limit on bytes keeps.
    for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
      if (batch->at + options_.keep > now) continue;
      const bool may_hold = batch->at + options_.keep_for_cursors > now;
      for (const auto& [writer, range] : batch->segments) {
        for (auto number = range.first; number <= range.second; ++number) {
          const log::SegmentName name{.writer = writer, .number = number};
          const auto path = store_.segment(name);
          if (!store_.files().exists(path.c_str())) continue;
          if (may_hold && is_needed(cursors, *batch, name)) {
            WEIR_TRY(const auto file, File::open_to_read(path, store_.files()));
            WEIR_TRY(const auto size, file.size());
            held += size;
            if (held <= options_.keep_bytes_for_cursors) continue;
          }
          WEIR_TRY(remove(path));
          ++report_.removed_segments;
        }
      }
    }
    return {};
  }

  static bool is_needed(const std::vector<log::Cursor>& cursors, const log::Batch& batch,
                        const log::SegmentName& name) {
    return std::ranges::any_of(cursors, [&](const log::Cursor& cursor) {
      return batch.number > cursor.batches && cursor.of(name.writer).segment <= name.number;
    });
  }

  Result<void> remove(const std::filesystem::path& path) {
    if (store_.files().unlink(path.c_str()) != 0) return fail_errno("remove " + path.string());
    return {};
  }

  PartFolder folder_;
  const log::StoreDirectory store_;
  const CompactionOptions& options_;
  const std::chrono::seconds keep_retired_;
  SegmentLoader loader_;
  std::map<log::SegmentName, log::Seal> seals_;
  std::map<log::SegmentName, std::string> bad_segments_;  // and why
  std::set<std::string> left_writers_;
  std::unordered_set<RunId> left_runs_;
  std::deque<Making> making_;
  std::vector<std::shared_ptr<PartWriter>> free_writers_;
  std::size_t writers_ = 0;  // that were opened
  CompactionReport report_;
};

/// Whether so much is sealed that it is time: more would be slow to read.
constexpr std::uint64_t kDueBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kDueSegments = 200;

}  // namespace

Result<bool> is_compaction_due(const log::StoreDirectory& store) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  WEIR_TRY(const auto chain, log::SealChain::read(store));
  std::uint64_t bytes = 0, segments = 0;
  for (const auto& [name, seal] : chain.seals()) {
    if (manifest.has_replaced(name)) continue;
    bytes += seal.bytes;
    ++segments;
  }
  return bytes > kDueBytes || segments >= kDueSegments;
}

Result<CompactionReport> compact(const log::StoreDirectory& store,
                                 const CompactionOptions& options) {
  // An older store becomes one that may have parts.
  WEIR_TRY_VOID(log::StoreDirectory::create(store.root(), store.files()));
  const auto once = [&](bool disk_is_full) -> Result<CompactionReport> {
    WEIR_TRY(auto folder, PartFolder::lock(store, options.scratch));
    // On a full disk those who read an old part now have to ask again.
    const auto keep_retired = disk_is_full ? std::chrono::seconds(0) : options.keep;
    // A thread of its own: the caller may record afterwards.
    auto done = std::async(std::launch::async, [&] {
      pthread_setname_np(pthread_self(), "weir-compaction");
      set_thread_priority(options.priority);
      return Compaction(std::move(folder), options, keep_retired).run();
    });
    return done.get();
  };
  if (options.reserve == CompactionOptions::Reserve::kStays) return once(/*disk_is_full=*/false);
  return log::with_reserve(store, once);
}

}  // namespace weir::store
