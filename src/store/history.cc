#include "store/history.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <set>

#include "base/file.h"
#include "log/manifest.h"
#include "log/segment.h"
#include "store/dead_runs.h"
#include "store/line_head.h"
#include "store/part_check.h"
#include "store/part_reader.h"

namespace weir::store {

std::string BadPlace::text() const {
  const auto place = is_whole ? std::string() : "at byte " + std::to_string(offset) + ": ";
  return file.string() + ": " + place + reason;
}

namespace {

/// Of the newest events, at first; ten times as many each time after.
constexpr std::uint64_t kNewestAtOnce = 1000;

/// What a Parquet file ends with.
constexpr std::string_view kParquetMark = "PAR1";

/// Those that hold what was written; the others are added to `bad`.
std::vector<log::Part> undamaged(const log::StoreDirectory& store,
                                 const std::vector<log::Part>& parts, std::vector<BadPlace>& bad) {
  PartCheck check;
  check.look(store, parts, {});
  for (auto& place : check.places(store)) bad.push_back(std::move(place));
  std::vector<log::Part> whole;
  std::ranges::copy_if(parts, std::back_inserter(whole),
                       [&](const auto& part) { return !check.damaged().contains(part.file); });
  return whole;
}

std::vector<std::filesystem::path> paths_of(const log::StoreDirectory& store,
                                            const std::vector<log::Part>& parts) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(parts.size());
  for (const auto& part : parts) paths.push_back(store.parts() / part.file);
  return paths;
}

/// Which events somebody wants.
struct Wanted {
  std::optional<std::set<RunId>> runs{};  // nothing: all
  bool mentions = false;                  // and those that have one of the runs as their target

  [[nodiscard]] static Wanted one(const std::optional<RunId>& run) {
    return run ? Wanted{.runs = std::set<RunId>{*run}} : Wanted();
  }

  [[nodiscard]] bool may_be_in(const log::Part& part) const {
    if (!runs || mentions) return true;
    const auto first = runs->lower_bound(part.first_run);
    return first != runs->end() && *first <= part.last_run;
  }
  /// Nothing for all.
  [[nodiscard]] std::string condition() const {
    if (!runs) return {};
    if (runs->empty()) return "false";
    std::string ids;
    for (const auto& run : *runs) ids += (ids.empty() ? "" : ", ") + sql_string(run.text());
    ids = "IN (" + ids + ")";
    return "run_id " + ids + (mentions ? " OR target_run_id " + ids : "");
  }

  /// False if it is none of them, as far as the line says without being decoded.
  [[nodiscard]] bool may_be(std::string_view line) const {
    if (!runs || mentions) return true;
    const auto head = read_line_head(line);
    return !head || runs->contains(head->run);
  }
  [[nodiscard]] bool are(const event::EventView& event) const {
    if (!runs || runs->contains(event.run_id())) return true;
    const auto target = RunId::parse(event.text(event::Field::kTargetRunId));
    return mentions && target && runs->contains(*target);
  }
};

class Reading {
 public:
  Reading(const LineHandler& handle, const Wanted& wanted) : handle_(handle), wanted_(wanted) {
    if (wanted_.runs && wanted_.runs->size() == 1) only_ = wanted_.runs->begin()->text();
  }

  Result<void> read_segment(const std::filesystem::path& path) {
    WEIR_TRY(auto reader, log::SegmentReader::open(path));
    ++report_.segments;
    while (true) {
      WEIR_TRY(const auto commit, reader.next_commit());
      if (!commit) break;
      ++report_.commits;
      WEIR_TRY(read_commit(path, *commit));
    }
    for (const auto& damage : reader.damage()) {
      report_.bad.push_back({path, damage.offset, damage.reason});
    }
    for (const auto& suspect : reader.suspects()) {
      report_.bad.push_back({path, suspect.offset, suspect.reason + ", and nothing good follows"});
    }
    report_.bytes += reader.offset();
    report_.torn_bytes += reader.torn_bytes();
    return {};
  }

  /// Reads parts as one: each run's events in their order.
  Result<void> read_parts(const log::StoreDirectory& store, const std::vector<log::Part>& parts) {
    if (parts.empty()) return {};
    if (!part_reader_) {
      WEIR_TRY(part_reader_, PartReader::open(store));
    }
    const auto paths = paths_of(store, parts);
    const auto before = report_.events;
    std::optional<Error> refused;  // by who gets the events
    const PartCondition condition{.living = living_sql(store, parts), .where = wanted_.condition()};
    const auto read =
        part_reader_->read(paths, condition, [&](std::string_view line) -> Result<void> {
          auto taken = read_line(paths.front(), 0, line);
          if (!taken) refused = taken.error();
          return taken;
        });
    if (refused) return std::unexpected(*std::move(refused));
    if (read) {
      report_.parts += parts.size();
      return {};
    }
    const auto whole = undamaged(store, parts, report_.bad);
    const bool may_begin_anew = report_.events == before;
    if (may_begin_anew && whole.size() < parts.size()) return read_parts(store, whole);
    if (!may_begin_anew || parts.size() == 1) {
      report_.bad.push_back({paths.front(), 0, read.error().message});
      return {};
    }
    for (const auto& part : parts) WEIR_TRY(read_parts(store, {part}));
    return {};
  }

  [[nodiscard]] std::vector<BadPlace>& bad() { return report_.bad; }

  ReadReport&& report() && { return std::move(report_); }

 private:
  Result<void> read_commit(const std::filesystem::path& path, const log::Commit& commit) {
    auto offset = commit.offset;
    for (auto lines = commit.lines; !lines.empty();) {
      const auto end = lines.find('\n');
      WEIR_TRY(read_line(path, offset, lines.substr(0, end)));
      offset += end + 1;
      lines.remove_prefix(end + 1);
    }
    return {};
  }

  Result<void> read_line(const std::filesystem::path& path, std::uint64_t offset,
                         std::string_view line) {
    const bool may_be = only_.empty() ? wanted_.may_be(line) : line.contains(only_);
    if (!may_be) return {};
    const auto event = decoder_.decode(line);
    if (!event) {
      report_.bad.push_back({path, offset, event.error().message});
      return {};
    }
    if (!wanted_.are(**event)) return {};
    ++report_.events;
    return handle_(**event, line);
  }

  const LineHandler& handle_;
  const Wanted& wanted_;
  std::string only_;  // the text of the only run; empty: of several, or of all
  event::Decoder decoder_;
  std::optional<PartReader> part_reader_;
  ReadReport report_;
};

Result<ReadReport> read(const log::StoreDirectory& store, const LineHandler& handle,
                        const Wanted& wanted) {
  Reading reading(handle, wanted);
  // In this order: see docs/formats/parts.md.
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  if (!manifest.damage().empty()) {
    reading.bad().push_back(
        {.file = store.manifest(), .reason = manifest.damage(), .is_whole = true});
  }
  WEIR_TRY(const auto segments, store.segment_names());
  std::vector<log::Part> parts;
  std::uint64_t batch = 0;
  const auto wants = [&](const log::Part& part) { return wanted.may_be_in(part); };
  for (const auto& part : whole_parts(store, manifest, wants, reading.bad())) {
    // A run's events in an earlier batch are earlier, whatever their dates: of some runs all parts
    // are sorted together, of all runs those of a batch.
    if (!wanted.runs && part.batch != batch) {
      WEIR_TRY(reading.read_parts(store, std::exchange(parts, {})));
    }
    batch = part.batch;
    parts.push_back(part);
  }
  WEIR_TRY(reading.read_parts(store, parts));
  for (const auto& name : segments) {
    if (!manifest.has_replaced(name)) WEIR_TRY(reading.read_segment(store.segment(name)));
  }
  return std::move(reading).report();
}

LineHandler without_line(const EventHandler& handle) {
  return [&handle](const event::EventView& event, std::string_view) { return handle(event); };
}

/// What open_parts gives: all parts as one, or each by itself if one of them is damaged.
class PartHistory {
 public:
  PartHistory(log::StoreDirectory store, const std::vector<log::Part>& parts, PartReader reader)
      : store_(std::move(store)), reader_(std::move(reader)) {
    std::vector<log::Part> whole;
    for (const auto& part : parts) {
      if (auto damage = part_damage(store_, part)) {
        bad_.push_back(bad_part(part, *damage));
      } else {
        whole.push_back(part);
      }
    }
    if (!whole.empty()) left_.push_back(std::move(whole));
  }

  Result<std::optional<std::string_view>> next() {
    while (bad_.empty() && !left_.empty()) {
      const auto read = read_some();
      if (read && *read && lines_.empty()) continue;
      if (read && *read) return std::optional<std::string_view>(lines_);
      const auto parts = std::move(left_.front());
      left_.pop_front();
      has_begun_ = false;
      if (read) continue;
      if (parts.size() == 1) {
        bad_.push_back(bad_part(parts.front(), read.error().message));
      } else {
        // Sorted together they have given nothing yet.
        for (const auto& part : parts) left_.push_back({part});
      }
    }
    if (bad_.empty()) return std::optional<std::string_view>();
    const auto bad = std::move(bad_.front());
    bad_.pop_front();
    return std::unexpected(bad);
  }

 private:
  Error bad_part(const log::Part& part, const std::string& reason) const {
    return {.code = ErrorCode::kCorrupt,
            .message = (store_.parts() / part.file).string() + ": " + reason};
  }

  /// Of the first of what is left; false at its end.
  Result<bool> read_some() {
    if (!has_begun_) {
      WEIR_TRY(reader_.begin(paths_of(store_, left_.front()),
                             {.living = living_sql(store_, left_.front())}));
      has_begun_ = true;
    }
    lines_.clear();
    return reader_.next([this](std::string_view line) -> Result<void> {
      lines_.append(line).append("\n");
      return {};
    });
  }

  const log::StoreDirectory store_;
  PartReader reader_;
  std::deque<std::vector<log::Part>> left_;
  bool has_begun_ = false;  // the first of them
  std::deque<Error> bad_;   // not said yet
  std::string lines_;
};

/// Hands over events that come the newest first, each once though the reading begins anew.
class NewestFirst {
 public:
  explicit NewestFirst(const NewestHandler& handle) : handle_(handle) {}

  void take(std::string_view line) {
    const auto event = decoder_.decode(line);
    if (!event || !wants_more_) return;
    const Place place((*event)->timestamp(), (*event)->run_seq());
    if (last_ && (place > *last_ || (place == *last_ && at_last_.contains(line)))) return;
    if (place != last_) at_last_.clear();
    last_ = place;
    at_last_.emplace(line);
    ++events_;
    wants_more_ = handle_(**event, line);
  }

  [[nodiscard]] bool wants_more() const { return wants_more_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  using Place = std::pair<Timestamp, std::int64_t>;

  const NewestHandler& handle_;
  event::Decoder decoder_;
  std::optional<Place> last_;                   // of the last that was handed over
  std::set<std::string, std::less<>> at_last_;  // those that are there
  bool wants_more_ = true;
  std::uint64_t events_ = 0;
};

Result<void> read_newest(PartReader& reader, const std::vector<std::filesystem::path>& parts,
                         const PartCondition& condition, NewestFirst& newest) {
  bool is_end = false;
  for (std::uint64_t after = 0, count = kNewestAtOnce; !is_end && newest.wants_more();
       after += count, count *= 10) {
    std::uint64_t got = 0;
    WEIR_TRY(reader.read_newest(parts, condition, after, count,
                                [&](std::string_view line) -> Result<void> {
                                  ++got;
                                  newest.take(line);
                                  return {};
                                }));
    is_end = got < count;
  }
  return {};
}

}  // namespace

Result<log::PartLines> open_parts(const log::StoreDirectory& store,
                                  const std::vector<log::Part>& parts) {
  WEIR_TRY(auto reader, PartReader::open(store));
  return [history = std::make_shared<PartHistory>(store, parts, std::move(reader))] {
    return history->next();
  };
}

Result<ReadReport> read_newest_of_parts(const log::StoreDirectory& store,
                                        const log::Manifest& manifest,
                                        const std::optional<RunId>& run,
                                        const NewestHandler& handle) {
  ReadReport report;
  const auto wanted = Wanted::one(run);
  const auto wants = [&](const log::Part& part) { return wanted.may_be_in(part); };
  auto parts = whole_parts(store, manifest, wants, report.bad);
  if (parts.empty()) return report;
  WEIR_TRY(auto reader, PartReader::open(store));
  NewestFirst newest(handle);
  while (!parts.empty()) {
    const auto read =
        read_newest(reader, paths_of(store, parts),
                    {.living = living_sql(store, parts), .where = wanted.condition()}, newest);
    if (read) break;
    auto whole = undamaged(store, parts, report.bad);
    if (whole.size() == parts.size()) {
      report.bad.push_back({store.parts(), 0, read.error().message});
      break;
    }
    parts = std::move(whole);
  }
  report.parts = parts.size();
  report.events = newest.events();
  return report;
}

std::optional<std::string> part_damage(const log::StoreDirectory& store, const log::Part& part) {
  const auto file = File::open_to_read(store.parts() / part.file, store.files());
  if (!file && file.error().code == ErrorCode::kNotFound) return "not there any more";
  const auto size = file ? file->size() : std::unexpected(file.error());
  if (!size) return size.error().message;
  if (*size != part.bytes) {
    return "has " + std::to_string(*size) + " bytes, it was written with " +
           std::to_string(part.bytes);
  }
  std::string mark(kParquetMark.size(), '\0');
  const auto got = file->read_at(*size - mark.size(), mark.data(), mark.size());
  if (!got) return got.error().message;
  if (mark != kParquetMark) return "not a Parquet file any more";
  return {};
}

std::vector<log::Part> whole_parts(const log::StoreDirectory& store, const log::Manifest& manifest,
                                   const std::function<bool(const log::Part&)>& wants,
                                   std::vector<BadPlace>& bad) {
  std::vector<log::Part> parts;
  for (const auto& part : manifest.parts()) {
    if (!wants(part)) continue;
    if (auto damage = part_damage(store, part)) {
      bad.push_back({store.parts() / part.file, 0, *std::move(damage)});
    } else {
      parts.push_back(part);
    }
  }
  return parts;
}

Result<ReadReport> read_all(const log::StoreDirectory& store, const EventHandler& handle) {
  return read(store, without_line(handle), {});
}

record::EventSource all_events(const log::StoreDirectory& store) {
  return [store](const record::EventVisitor& visit) -> Result<record::LogRead> {
    record::LogRead done;
    const LineHandler take = [&](const event::EventView& event, std::string_view line) {
      done.bytes += line.size() + 1;
      visit(event, line);
      return Result<void>();
    };
    WEIR_TRY(const auto report, read(store, take, {}));
    done.segments = report.segments + report.parts;
    done.events = report.events;
    done.skipped_events = report.bad.size();
    return done;
  };
}

Result<ReadReport> read_run(const log::StoreDirectory& store, const RunId& run,
                            const EventHandler& handle) {
  return read(store, without_line(handle), Wanted::one(run));
}

Result<ReadReport> read_run(const log::StoreDirectory& store, const project::RunKey& run,
                            const EventHandler& handle) {
  return read_run(store, run.run_id, [&](const event::EventView& event) {
    return project::RunKey::of(event) == run ? handle(event) : Result<void>();
  });
}

Result<ReadReport> read_runs(const log::StoreDirectory& store, std::span<const RunId> runs,
                             const EventHandler& handle) {
  return read(store, without_line(handle), {.runs = std::set(runs.begin(), runs.end())});
}

Result<ReadReport> read_mentions(const log::StoreDirectory& store, const RunId& run,
                                 const EventHandler& handle) {
  return read(store, without_line(handle), {.runs = std::set{run}, .mentions = true});
}

Result<ReadReport> read_lines(const log::StoreDirectory& store, const std::optional<RunId>& run,
                              const LineHandler& handle) {
  if (!run) return read(store, handle, {});
  return read(store, handle, {.runs = std::set{*run}, .mentions = true});
}

}  // namespace weir::store
