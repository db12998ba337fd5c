#include "store/rollup.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/file.h"
#include "store/histogram_functions.h"
#include "store/part_reader.h"
#include "store/rollup_writer.h"

namespace weir::store {
namespace {

/// So many neighbours of about one size become one.
constexpr std::size_t kMerged = 8;
/// Of minutes: what is larger is not merged any more.
constexpr std::uint64_t kMaxMergedRows = 400'000;
/// Events that are summed up at once: their distributions are in memory.
constexpr std::uint64_t kMaxEvents = 1'000'000;

BatchRange batches_of(const log::Part& part) { return {part.batch, part.last_batch}; }

std::vector<std::uint64_t> numbers_of(const log::Manifest& manifest) {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(manifest.batches().size());
  for (const auto& batch : manifest.batches()) numbers.push_back(batch.number);
  return numbers;
}

/// Those whose batches the manifest knows, and which can be counted beside the rest of its parts.
Rollups of_manifest(Rollups rollups, const log::Manifest& manifest) {
  std::erase_if(rollups, [&](const Rollup& r) { return r.batches.last > manifest.number(); });
  std::vector<BatchRange> parts;
  parts.reserve(manifest.parts().size());
  for (const auto& part : manifest.parts()) parts.push_back(batches_of(part));
  return countable(std::move(rollups), numbers_of(manifest), parts);
}

/// Takes those out that are damaged, and hands them over.
template <class Handle>
void drop_damaged(const log::StoreDirectory& store, Rollups& rollups, const Handle& handle) {
  std::erase_if(rollups, [&](const Rollup& rollup) {
    for (const auto level : kRollupLevels) {
      auto damage = rollup_damage(store, rollup, level);
      if (damage.empty()) continue;
      handle(BadPlace{rollup_path(store, rollup, level), 0, std::move(damage)});
      return true;
    }
    return false;
  });
}

/// Batches that none covers, and their parts.
struct Uncounted {
  BatchRange batches;
  std::uint64_t events = 0;
  std::vector<const log::Part*> parts;
};

class Update {
 public:
  Update(const log::StoreDirectory& store, const log::Manifest& manifest,
         const RollupOptions& options)
      : store_(store), manifest_(manifest), options_(options) {}

  /// Reads which rollups there are.
  Result<void> read() {
    auto read = read_rollup_index(store_);
    if (!read) {
      if (read.error().code == ErrorCode::kIo) return std::unexpected(std::move(read).error());
      report_.damaged.push_back({rollup_index_path(store_), 0, "not as it was written"});
      is_changed_ = true;
      return {};
    }
    rollups_ = *std::move(read);
    was_ = rollups_;
    drop_damaged(store_, rollups_,
                 [&](BadPlace bad) { report_.damaged.push_back(std::move(bad)); });
    rollups_ = of_manifest(std::move(rollups_), manifest_);
    return {};
  }

  /// Drops those that can be made again: the log holds all of their events, and they can be read.
  void forget() {
    std::erase_if(rollups_, [&](const Rollup& rollup) {
      Uncounted whole{.batches = rollup.batches};
      for (const auto& part : manifest_.parts()) {
        if (!rollup.batches.meets(batches_of(part))) continue;
        whole.events += part.events;
        whole.parts.push_back(&part);
      }
      if (whole.events < rollup.events || !is_whole(whole)) return false;
      forgotten_.push_back(rollup);
      return true;
    });
    for (const auto& rollup : rollups_) keep(rollup);
    // What stays may hold some batches of a part, and not the others.
    rollups_ = of_manifest(std::move(rollups_), manifest_);
    is_changed_ = true;
  }

  Result<void> remove_before(std::string_view date) {
    for (auto& rollup : rollups_) {
      WEIR_TRY(auto* writer, this->writer());
      WEIR_TRY(rollup, writer->without_rows_before(rollup, date));
    }
    return {};
  }

  Result<void> complete() {
    for (const auto& uncounted : find_uncounted()) WEIR_TRY(sum_up(uncounted));
    // A part may turn out to be damaged inside only when it is read.
    for (const auto& old : forgotten_) {
      if (std::ranges::none_of(rollups_,
                               [&](const Rollup& r) { return r.batches.meets(old.batches); })) {
        rollups_.push_back(old);
        keep(old);
      }
    }
    std::ranges::sort(rollups_, {}, [](const Rollup& r) { return r.batches.first; });
    return merge();
  }

  /// Makes all of it count.
  Result<RollupReport> finish() {
    if (is_changed_ || rollups_ != was_) {
      WEIR_TRY(write_rollup_index(store_, rollups_));
      for (const auto& rollup : rollups_) {
        report_.files += std::ranges::find(was_, rollup) == was_.end() ? 1 : 0;
      }
    }
    remove_leftovers();
    return std::move(report_);
  }

 private:
  Result<RollupWriter*> writer() {
    if (!writer_) {
      const auto folder = options_.scratch.empty() ? store_.root() / "cache" : options_.scratch;
      scratch_ = folder / "rollups";
      WEIR_TRY(auto opened, RollupWriter::open(store_, scratch_));
      writer_.emplace(std::move(opened));
    }
    return &*writer_;
  }

  void keep(const Rollup& rollup) {
    ++report_.kept_files;
    report_.kept_events += rollup.events;
  }

  // ---- what is missing --------------------------------------------------------------------------

  /// Those whose parts can all be read, at most kMaxEvents together if they are more than one part.
  std::vector<Uncounted> find_uncounted() {
    std::vector<Uncounted> all;
    bool may_join = false;  // nothing is between the last one and the next
    for (auto& next : one_by_one()) {
      if (covers(rollups_, next.batches.first) || !is_whole(next)) {
        may_join = false;
        continue;
      }
      if (may_join && all.back().events + next.events <= kMaxEvents) {
        auto& last = all.back();
        last.batches.last = next.batches.last;
        last.events += next.events;
        last.parts.insert(last.parts.end(), next.parts.begin(), next.parts.end());
      } else {
        all.push_back(std::move(next));
      }
      may_join = true;
    }
    return all;
  }

  /// What can only be counted together, in ascending order: batches that parts hold together.
  std::vector<Uncounted> one_by_one() {
    std::map<std::uint64_t, Uncounted> all;  // by the first batch
    for (const auto& part : manifest_.parts()) {
      const auto batches = batches_of(part);
      auto& one = all.try_emplace(batches.first, Uncounted{.batches = batches}).first->second;
      one.events += part.events;
      one.parts.push_back(&part);
    }
    for (const auto batch : numbers_of(manifest_)) {  // of which no part is left, or there was none
      auto after = all.upper_bound(batch);
      if (after == all.begin() || !std::prev(after)->second.batches.contains(batch)) {
        all.emplace(batch, Uncounted{.batches = {batch, batch}});
      }
    }
    std::vector<Uncounted> sorted;
    sorted.reserve(all.size());
    for (auto& [first, one] : all) sorted.push_back(std::move(one));
    return sorted;
  }

  bool is_whole(const Uncounted& one) {
    const std::set<const log::Part*> parts(one.parts.begin(), one.parts.end());
    const auto before = report_.unread.size();
    static_cast<void>(whole_parts(
        store_, manifest_, [&](const log::Part& part) { return parts.contains(&part); },
        report_.unread));
    return report_.unread.size() == before;
  }

  Result<void> sum_up(const Uncounted& uncounted) {
    std::vector<std::filesystem::path> paths;
    paths.reserve(uncounted.parts.size());
    for (const auto* part : uncounted.parts) paths.push_back(store_.parts() / part->file);
    WEIR_TRY(auto* writer, this->writer());
    auto made = writer->sum_up(uncounted.batches, paths);
    if (!made && made.error().code == ErrorCode::kInvalidInput) {  // it has the right size, no more
      report_.unread.push_back({paths.front(), 0, made.error().message});
      return {};
    }
    WEIR_TRY(auto rollup, std::move(made));
    report_.events += rollup.events;
    rollups_.push_back(rollup);
    return {};
  }

  // ---- fewer, larger files
  // ------------------------------------------------------------------------

  /// Three bits of rows are one more.
  static int size_class(const Rollup& rollup) {
    constexpr int kBitsOfMerged = 3;
    return static_cast<int>(std::bit_width(rollup.minutes.rows)) / kBitsOfMerged;
  }

  /// The newest are the small ones: eight that are no larger than a size become one, the smallest
  /// first.
  Result<void> merge() {
    constexpr int kSizes = 64;
    for (int size = 0; size < kSizes; ++size) {
      std::size_t count = 0;
      std::uint64_t rows = 0;
      for (auto it = rollups_.rbegin(); it != rollups_.rend() && size_class(*it) <= size; ++it) {
        if (rows + it->minutes.rows > kMaxMergedRows) break;
        rows += it->minutes.rows;
        ++count;
      }
      if (count < kMerged) continue;
      WEIR_TRY(auto* writer, this->writer());
      const auto first = rollups_.end() - static_cast<std::ptrdiff_t>(count);
      WEIR_TRY(const auto merged, writer->merge(std::span(first, rollups_.end())));
      rollups_.erase(first, rollups_.end());
      rollups_.push_back(merged);
    }
    return {};
  }

  // ---- what is not needed any more
  // ----------------------------------------------------------------

  /// Files that the index has not named for a while. Whatever goes wrong, they mean nothing.
  void remove_leftovers() {
    std::set<std::filesystem::path> named, known;
    for (const auto level : kRollupLevels) {
      for (const auto& rollup : rollups_) named.insert(rollup_path(store_, rollup, level));
      for (const auto& rollup : was_) known.insert(rollup_path(store_, rollup, level));
    }
    std::error_code ignored;
    if (!scratch_.empty()) std::filesystem::remove_all(scratch_, ignored);
    const auto now = std::filesystem::file_time_type::clock::now();
    for (const auto* folder : {"minutes", "hours"}) {
      const auto path = rollup_folder(store_) / folder;
      const auto names = list_directory(path, store_.files());
      if (!names) continue;
      for (const auto& name : *names) {
        const auto file = path / name;
        if (named.contains(file)) continue;
        // A file's age is counted from when it was named last.
        if (known.contains(file)) std::filesystem::last_write_time(file, now, ignored);
        const auto age = now - std::filesystem::last_write_time(file, ignored);
        if (age >= options_.keep) store_.files().unlink(file.c_str());
      }
    }
  }

  const log::StoreDirectory& store_;
  const log::Manifest& manifest_;
  const RollupOptions& options_;
  std::filesystem::path scratch_;
  std::optional<RollupWriter> writer_;
  Rollups was_;
  Rollups rollups_;
  Rollups forgotten_;
  bool is_changed_ = false;
  RollupReport report_;
};

}  // namespace

Result<RollupReport> update_rollups(const log::StoreDirectory& store, const log::Manifest& manifest,
                                    const RollupOptions& options) {
  Update update(store, manifest, options);
  WEIR_TRY(update.read());
  WEIR_TRY(update.complete());
  return update.finish();
}

Result<RollupReport> rebuild_rollups(const log::StoreDirectory& store,
                                     const RollupOptions& options) {
  WEIR_TRY(const auto lock, File::open_or_create(store.compaction_lock(), store.files()));
  WEIR_TRY(const bool ours, lock.try_lock());
  if (!ours) {
    return fail(ErrorCode::kConflict, store.root().string() + ": another process is compacting it");
  }
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  Update update(store, manifest, options);
  WEIR_TRY(update.read());
  update.forget();
  WEIR_TRY(update.complete());
  return update.finish();
}

Result<void> remove_rollups_before(const log::StoreDirectory& store, std::string_view date,
                                   const RollupOptions& options) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  Update update(store, manifest, options);
  WEIR_TRY(update.read());
  WEIR_TRY(update.remove_before(date));
  WEIR_TRY_VOID(update.finish());
  return {};
}

std::vector<std::string> rollup_problems(const log::StoreDirectory& store) {
  auto read = read_rollup_index(store);
  if (!read) return {read.error().message};
  std::vector<std::string> problems;
  drop_damaged(store, *read, [&](const BadPlace& bad) {
    problems.push_back(bad.file.string() + ": " + bad.reason +
                       "; `weir rebuild rollups` makes it again");
  });
  return problems;
}

namespace {

/// The events that no rollup counts: of parts, and the tail.
Result<std::vector<std::filesystem::path>> add_unrolled(Connection& connection,
                                                        const log::StoreDirectory& store,
                                                        const log::Manifest& manifest,
                                                        const Rollups& rollups,
                                                        const RollupTableOptions& options) {
  const auto is_left = [&](const log::Part& part) {
    return !covers(rollups, batches_of(part).first) &&
           (!options.parts || options.parts->contains(part.file)) &&
           (!options.tenant || part.tenant == options.tenant);
  };
  std::vector<std::filesystem::path> files;
  std::vector<BadPlace> bad;  // whoever reads `events` is told of them
  for (const auto& part : whole_parts(store, manifest, is_left, bad)) {
    files.push_back(options.parts ? options.parts->at(part.file) : store.parts() / part.file);
  }
  std::string sql = "CREATE OR REPLACE MACRO weir_unrolled() AS TABLE ";
  if (!files.empty()) sql += "SELECT * FROM " + parts_sql(files) + " UNION ALL BY NAME ";
  WEIR_TRY(connection.execute(sql + "SELECT * FROM weir_tail()"));
  return files;
}

/// Of files, where there are none.
constexpr std::string_view kNoRows =
    "SELECT NULL::TIMESTAMP AS time, NULL::VARCHAR AS node_id WHERE false";

/// The rows of the files that count.
Result<std::vector<std::filesystem::path>> add_rolled(Connection& connection,
                                                      const log::StoreDirectory& store,
                                                      const Rollups& rollups, RollupLevel level,
                                                      const RollupTableOptions& options) {
  std::vector<std::filesystem::path> files;
  files.reserve(rollups.size());
  for (const auto& rollup : rollups) files.push_back(rollup_path(store, rollup, level));
  const std::string name = level == RollupLevel::kMinutes ? "minutes" : "hours";
  auto rows = files.empty() ? std::string(kNoRows) : "SELECT * FROM " + rollup_rows_sql(files);
  if (options.tenant && !files.empty()) {
    const auto table = "rolled." + name;
    WEIR_TRY(connection.execute("CREATE SCHEMA IF NOT EXISTS rolled; CREATE TABLE " + table +
                                " AS " + rows +
                                " WHERE tenant_id = " + sql_string(*options.tenant)));
    rows = "SELECT * FROM " + table;
    files.clear();
  }
  WEIR_TRY(
      connection.execute("CREATE OR REPLACE MACRO weir_rolled_" + name + "() AS TABLE " + rows));
  return files;
}

}  // namespace

Result<std::vector<std::filesystem::path>> add_rollup_tables(Connection& connection,
                                                             const log::StoreDirectory& store,
                                                             const log::Manifest& manifest,
                                                             const RollupTableOptions& options) {
  WEIR_TRY(add_histogram_functions(connection));
  // Without them the answer is the same, and takes longer.
  auto rollups = read_rollup_index(store).value_or(Rollups());
  drop_damaged(store, rollups, [](const BadPlace&) {});
  rollups = of_manifest(std::move(rollups), manifest);
  WEIR_TRY(auto files, add_unrolled(connection, store, manifest, rollups, options));
  for (const auto level : kRollupLevels) {
    WEIR_TRY(auto more, add_rolled(connection, store, rollups, level, options));
    std::ranges::move(more, std::back_inserter(files));
  }
  return files;
}

Result<void> add_no_rollup_tables(Connection& connection) {
  WEIR_TRY(add_histogram_functions(connection));
  std::string sql = "CREATE OR REPLACE MACRO weir_unrolled() AS TABLE FROM weir_events();";
  for (const auto* name : {"minutes", "hours"}) {
    sql.append("CREATE OR REPLACE MACRO weir_rolled_").append(name).append("() AS TABLE ");
    sql.append(kNoRows).append(";");
  }
  return connection.execute(sql);
}

}  // namespace weir::store
