#include "store/collection.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "log/reserve.h"
#include "log/run_lock.h"
#include "store/batch.h"
#include "store/dead_runs.h"
#include "store/holds.h"
#include "store/judgements.h"
#include "store/part_merger.h"
#include "store/part_reader.h"
#include "store/rollup.h"
#include "store/unnamed_artifacts.h"

namespace weir::store {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr std::uint64_t kMaxStamp = 64;

std::filesystem::path stamp_of(const log::StoreDirectory& store) {
  return store.root() / "cache" / "collected";
}

/// The pipeline of what processes say of themselves: record/process_runs.h.
constexpr std::string_view kProcess = "weir";

/// With its tenant; empty: none.
using RunKey = std::pair<RunId, std::string>;

class Collection {
 public:
  Collection(PartFolder folder, Database database, Connection connection,
             const CollectionOptions& options, std::chrono::seconds keep)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        connection_(std::move(connection)),
        options_(options),
        keep_(keep),
        now_(options.clock.now()) {}

  Result<CollectionReport> run() {
    auto done = run_steps();
    if (!done) folder_.empty_scratch();
    return done;
  }

 private:
  Result<CollectionReport> run_steps() {
    WEIR_TRY(remove_retired());
    WEIR_TRY(survey_, survey_parts(folder_, connection_));
    report_.left = survey_.damaged;
    WEIR_TRY(spare_runs());
    const auto dead = runs_to_delete(survey_.runs, options_.rules, now_);
    is_dead_.insert(dead.begin(), dead.end());
    WEIR_TRY(spare_judgements());
    report_runs();
    if (options_.dry_run) return std::move(report_);
    WEIR_TRY(hide());
    WEIR_TRY(remove_artifacts());
    WEIR_TRY(drop_dead_parts());
    WEIR_TRY(remove_retired());
    WEIR_TRY(rewrite_parts());
    WEIR_TRY(forget_sums());
    return std::move(report_);
  }

  // ---- which runs -----------------------------------------------------------------------------

  Result<void> spare_runs() {
    Holds holds;
    WEIR_TRY(read_parts_for(holds));
    WEIR_TRY(read_segments_for(holds));
    std::unordered_set<RunId> held;
    for (const auto& hold : holds.in_force()) held.insert({hold.run, hold.said_in});
    const auto owned = log::RunLock::held(folder_.store());
    for (auto& run : survey_.runs) {
      if (held.contains(run.run)) {
        run.spared = Spared::kHeld;
      } else if (owned.contains(run.run)) {
        run.spared = Spared::kOwned;
      } else if (in_segments_.contains({run.run, run.tenant.value_or("")})) {
        run.spared = Spared::kInSegment;
      }
    }
    return {};
  }

  /// What a part that cannot be read says of holds nobody knows; it is named.
  Result<void> read_parts_for(Holds& holds) {
    const PartReader::LineHandler take = [&](std::string_view line) -> Result<void> {
      if (const auto event = decoder_.decode(line)) holds.apply(**event);
      return {};
    };
    std::vector<std::filesystem::path> files;
    std::vector<std::string> names;
    for (const auto& part : folder_.manifest().parts()) {
      if (is_damaged(part)) continue;
      auto file = folder_.to_look_at(part);
      if (file) {
        files.push_back(*std::move(file));
        names.push_back(part.file);
      } else {
        leave(part, file.error());
      }
    }
    if (files.empty()) return {};
    WEIR_TRY(auto reader, PartReader::open(folder_.store()));
    auto whole = reader.read(files, {.where = holds_sql()}, take);
    if (whole || is_of_full_disk(whole.error())) return whole;
    // One of them cannot be read: each by itself, then.
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto read = reader.read({files[i]}, {.where = holds_sql()}, take);
      if (!read) report_.left.push_back({.file = names[i], .reason = read.error().message});
    }
    return {};
  }

  void leave(const log::Part& part, const Error& error) {
    report_.left.push_back({.file = part.file, .reason = error.message});
  }

  Result<void> read_segments_for(Holds& holds) {
    WEIR_TRY(const auto names, folder_.store().segment_names());
    SegmentLoader loader(folder_.store());
    for (const auto& name : names) {
      if (folder_.manifest().has_replaced(name)) continue;
      auto read = loader.load(name);
      if (!read && read.error().code == ErrorCode::kNotFound) continue;
      WEIR_TRY(const auto loaded, std::move(read));
      for (const auto& row : loaded.rows) {
        const auto tenant = loaded.places[row.place].place.tenant.value_or("");
        in_segments_.emplace(row.run, tenant);
        const auto event = decoder_.decode(row.line);
        if (!event) continue;
        holds.apply(**event);
        if ((*event)->type() == event::Type::kArtifactWritten) {
          written_in_segments_.emplace((*event)->text(event::Field::kArtifactSha256), tenant);
        }
      }
    }
    return {};
  }

  [[nodiscard]] bool is_damaged(const log::Part& part) const {
    return std::ranges::any_of(report_.left,
                               [&](const DamagedPart& left) { return left.file == part.file; });
  }

  /// Without them, what was approved would wait for somebody again.
  Result<void> spare_judgements() {
    std::map<RunKey, std::size_t> dead;
    auto staying = in_segments_;
    for (std::size_t i = 0; i < survey_.runs.size(); ++i) {
      const auto& run = survey_.runs[i];
      if (!is_dead_.contains(i)) staying.emplace(run.run, run.tenant.value_or(""));
      if (is_dead_.contains(i) && run.pipeline == kProcess) {
        dead.emplace(RunKey(run.run, run.tenant.value_or("")), i);
      }
    }
    if (dead.empty()) return {};
    WEIR_TRY(const auto judgements, read_judgements_of_parts());
    for (const auto& judgement : judgements) {
      const auto tenant = judgement.tenant.value_or("");
      const auto found = dead.find({judgement.said_in, tenant});
      if (found == dead.end()) continue;
      // Nobody knows what a part says that cannot be read.
      const bool is_needed = !report_.left.empty() ||
                             (judgement.about && staying.contains({*judgement.about, tenant})) ||
                             written_in_segments_.contains({judgement.content, tenant});
      if (!is_needed) continue;
      survey_.runs[found->second].spared = Spared::kJudges;
      is_dead_.erase(found->second);
    }
    return {};
  }

  Result<std::vector<Judgement>> read_judgements_of_parts() {
    std::vector<std::filesystem::path> files;
    std::string living;
    for (const auto& part : folder_.manifest().parts()) {
      if (is_damaged(part)) continue;
      WEIR_TRY(auto file, folder_.to_look_at(part));
      living = both_sql(living, living_sql(file, part.dead));
      files.push_back(std::move(file));
    }
    return read_judgements(connection_, files, living);
  }

  void report_runs() {
    for (std::size_t index = 0; index < survey_.runs.size(); ++index) {
      if (!is_dead_.contains(index)) continue;
      const auto& run = survey_.runs[index];
      report_.runs.push_back(run);
      report_.events += run.events;
      report_.bytes += run.bytes;
    }
    report_.kept_runs = survey_.runs.size() - report_.runs.size();
    // What would go if nothing spared it.
    auto all = survey_.runs;
    for (auto& run : all) run.spared = Spared::kNo;
    auto rules = options_.rules;
    rules.max_bytes.reset();
    for (auto& [name, limits] : rules.tenants) limits.max_bytes.reset();
    for (auto& [name, limits] : rules.pipelines) limits.max_bytes.reset();
    for (const auto index : runs_to_delete(all, rules, now_)) {
      if (survey_.runs[index].spared != Spared::kNo) report_.spared.push_back(survey_.runs[index]);
    }
  }

  // ---- how they go ----------------------------------------------------------------------------

  /// From here on nobody sees them.
  Result<void> hide() {
    auto parts = folder_.manifest().parts();
    auto& dead_events = survey_.dead_events;
    for (const auto& [part, run, events] : survey_.presences) {
      if (!is_dead_.contains(run)) continue;
      parts[part].dead.push_back(survey_.runs[run].run);
      dead_events[part] += events;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::ranges::sort(parts[i].dead);
      if (!parts[i].dead.empty() && dead_events[i] == parts[i].events) {
        all_dead_.insert(parts[i].file);
      }
    }
    if (is_dead_.empty()) return {};
    return folder_.replace(folder_.manifest().with_parts(std::move(parts), now_));
  }

  Result<void> remove_artifacts() {
    // Nobody knows what a part names that cannot be read.
    if (!report_.left.empty()) return {};
    const auto removed = remove_unnamed_artifacts(folder_, connection_, now_);
    if (!removed && (removed.error().code == ErrorCode::kInvalidInput ||
                     removed.error().code == ErrorCode::kNotFound)) {
      return {};
    }
    if (!removed) return std::unexpected(removed.error());
    report_.artifacts = removed->count;
    report_.artifact_bytes = removed->bytes;
    return {};
  }

  /// Those of which nothing is left.
  Result<void> drop_dead_parts() {
    while (true) {
      std::vector<log::Part> stay;
      std::size_t dropped = 0;
      for (const auto& part : folder_.manifest().parts()) {
        if (dropped < log::kMaxPartChanges && all_dead_.contains(part.file) && is_whole(part)) {
          ++dropped;
        } else {
          stay.push_back(part);
        }
      }
      if (dropped == 0) return {};
      WEIR_TRY(folder_.replace(folder_.manifest().with_parts(std::move(stay), now_)));
      report_.removed_parts += dropped;
    }
  }

  /// What is damaged stays as it is, for whoever finds out what has happened to it.
  bool is_whole(const log::Part& part) {
    if (is_damaged(part)) return false;
    const auto file = folder_.to_read(part);
    if (!file) leave(part, file.error());
    return file.has_value();
  }

  /// Those of which something is left: a range of batches at a time, in which each date and tenant
  /// has one part.
  Result<void> rewrite_parts() {
    std::map<std::uint64_t, std::vector<log::Part>> by_batch;
    for (const auto& part : folder_.manifest().parts()) {
      if (!part.dead.empty() && !is_damaged(part)) by_batch[part.batch].push_back(part);
    }
    for (const auto& [batch, parts] : by_batch) {
      for (std::span<const log::Part> rest = parts; !rest.empty();) {
        // Where there is little room, none is made before the last one's is given back.
        const auto most = keep_ == std::chrono::seconds(0) ? 1 : log::kMaxPartChanges;
        const auto some = rest.first(std::min(rest.size(), most));
        rest = rest.subspan(some.size());
        WEIR_TRY(rewrite(some));
        WEIR_TRY(remove_retired());
      }
    }
    return {};
  }

  Result<void> rewrite(std::span<const log::Part> parts) {
    auto next = folder_.manifest().parts();
    const auto number = folder_.manifest().number() + 1;
    std::uint64_t rewritten = 0, removed = 0;
    for (const auto& part : parts) {
      auto merged = merge_parts(folder_, connection_, {part}, number);
      if (!merged) {
        if (is_of_store(merged.error())) return std::unexpected(std::move(merged).error());
        leave(part, merged.error());
        continue;
      }
      const auto place = std::ranges::find(next, part.file, &log::Part::file);
      auto remade = *std::move(merged);
      if (remade.part) {
        *place = *std::move(remade.part);
        ++rewritten;
      } else {
        next.erase(place);
        ++removed;
      }
    }
    if (rewritten + removed == 0) return {};
    WEIR_TRY(folder_.replace(folder_.manifest().with_parts(std::move(next), now_)));
    report_.rewritten_parts += rewritten;
    report_.removed_parts += removed;
    return {};
  }

  /// Rollups hold sums over runs of everybody: they go when no metrics are kept so long.
  Result<void> forget_sums() {
    const auto& rules = options_.rules;
    auto age = rules.metrics;
    for (const auto* overrides : {&rules.tenants, &rules.pipelines}) {
      for (const auto& [name, limits] : *overrides) {
        age = std::max(age, limits.metrics.value_or(age));
      }
    }
    const auto date = to_string(now_ - age).substr(0, kDateSize);
    return remove_rollups_before(folder_.store(), date,
                                 {.scratch = options_.scratch, .keep = keep_});
  }

  /// Not of one part.
  static bool is_of_store(const Error& error) {
    return error.code == ErrorCode::kIo || error.code == ErrorCode::kExhausted;
  }

  Result<void> remove_retired() {
    if (options_.dry_run) return {};
    WEIR_TRY_VOID(folder_.remove_retired(now_, keep_));
    return {};
  }

  PartFolder folder_;
  Database database_;
  Connection connection_;
  const CollectionOptions& options_;
  const std::chrono::seconds keep_;
  const Timestamp now_;
  event::Decoder decoder_;
  Survey survey_;
  std::set<RunKey> in_segments_;
  std::set<std::pair<std::string, std::string>> written_in_segments_;  // content and tenant
  std::set<std::size_t> is_dead_;                                      // indices of survey_.runs
  std::set<std::string> all_dead_;  // files of parts of which nothing is left
  CollectionReport report_;
};

Result<CollectionReport> collect_once(const log::StoreDirectory& store,
                                      const CollectionOptions& options, std::chrono::seconds keep) {
  WEIR_TRY(auto folder, PartFolder::lock(store, options.scratch));
  WEIR_TRY(auto database, Database::open_in_memory());
  WEIR_TRY(auto connection, open_scratch_session(database, folder.scratch()));
  return Collection(std::move(folder), std::move(database), std::move(connection), options, keep)
      .run();
}

}  // namespace

Result<CollectionReport> collect(const log::StoreDirectory& store,
                                 const CollectionOptions& options) {
  auto done = log::with_reserve(store, [&](bool disk_is_full) {
    // On a full disk those who read an old part now have to ask again.
    return collect_once(store, options, disk_is_full ? std::chrono::seconds(0) : options.keep);
  });
  if (done && !options.dry_run) {
    const auto stamp = stamp_of(store);
    auto written = make_directories(stamp.parent_path(), store.files());
    if (written) {
      written = write_file_durably(stamp, to_string(options.clock.now()) + "\n", store.files());
    }
    static_cast<void>(written);  // it is done again a little sooner
  }
  return done;
}

bool is_collection_due(const log::StoreDirectory& store, const Clock& clock) {
  auto text = read_file(stamp_of(store), kMaxStamp, store.files());
  if (!text) return true;
  if (text->ends_with('\n')) text->pop_back();
  const auto last = parse_rfc3339(*text);
  // A clock that was put back must not keep it from ever being done.
  return !last || *last + kDay <= clock.now() || *last > clock.now();
}

}  // namespace weir::store
