#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "event/decoder.h"
#include "log/follower.h"
#include "log/manifest.h"
#include "log/store_directory.h"
#include "project/run_key.h"
#include "record/log_query.h"

namespace weir::store {

/// Damage in a segment or a part, or an event in it that is not one.
struct BadPlace {
  std::filesystem::path file;
  std::uint64_t offset = 0;  ///< 0 in a part
  std::string reason;
  bool is_whole = false;  ///< its events are there all the same
  auto operator<=>(const BadPlace&) const = default;

  /// "FILE: at byte N: WHY"; of one that is whole without the place.
  [[nodiscard]] std::string text() const;
};

struct ReadReport {
  std::uint64_t parts = 0;
  std::uint64_t segments = 0;
  std::uint64_t commits = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;       ///< committed
  std::uint64_t torn_bytes = 0;  ///< after the last commits: never acknowledged
  std::vector<BadPlace> bad;     ///< suspects of SegmentReader included
};

/// Gets each event, and may end the reading by an error.
using EventHandler = std::function<Result<void>(const event::EventView&)>;

/// Hands over every committed event, those in parts and then those in segments: a run's in order.
/// What cannot be read is in the report and does not end the reading. Errors:
/// kIo, kCorrupt (the manifest), kUnavailable (there are parts, and no DuckDB), and those of
/// `handle`.
[[nodiscard]] Result<ReadReport> read_all(const log::StoreDirectory& store,
                                          const EventHandler& handle);

/// The same, for questions without a database (record/log_query.h). Of the store as it is when they
/// are asked.
[[nodiscard]] record::EventSource all_events(const log::StoreDirectory& store);

/// The same for the events of one run, or of every tenant's run with that id.
[[nodiscard]] Result<ReadReport> read_run(const log::StoreDirectory& store,
                                          const project::RunKey& run, const EventHandler& handle);
[[nodiscard]] Result<ReadReport> read_run(const log::StoreDirectory& store, const RunId& run,
                                          const EventHandler& handle);

/// The same for the events of some runs, in one reading.
[[nodiscard]] Result<ReadReport> read_runs(const log::StoreDirectory& store,
                                           std::span<const RunId> runs, const EventHandler& handle);

/// The same for the events of one run, and those of others that name it as their target (see
/// Field::kTargetRunId): these in no order.
[[nodiscard]] Result<ReadReport> read_mentions(const log::StoreDirectory& store, const RunId& run,
                                               const EventHandler& handle);

/// Gets each event and its line, as the log would have it; an error ends the reading.
using LineHandler =
    std::function<Result<void>(const event::EventView& event, std::string_view line)>;

/// As read_all, with the lines; of a run as read_mentions.
[[nodiscard]] Result<ReadReport> read_lines(const log::StoreDirectory& store,
                                            const std::optional<RunId>& run,
                                            const LineHandler& handle);

/// Gets an event and its line, as the log would have it; false ends the reading.
using NewestHandler = std::function<bool(const event::EventView& event, std::string_view line)>;

/// Hands over the events of a manifest's parts, or of one run in them, the newest first by their
/// timestamps. Errors: as read_all.
[[nodiscard]] Result<ReadReport> read_newest_of_parts(const log::StoreDirectory& store,
                                                      const log::Manifest& manifest,
                                                      const std::optional<RunId>& run,
                                                      const NewestHandler& handle);

/// Gives the events of parts to a log::Follower whose segments they have replaced (log::OpenParts):
/// each run's in order, without those of deleted runs. Errors: kUnavailable (no DuckDB).
[[nodiscard]] Result<log::PartLines> open_parts(const log::StoreDirectory& store,
                                                const std::vector<log::Part>& parts);

/// Why a part cannot be what was written: it is not there, has another size or does not end as such
/// files do. (Whether it is, its hash tells.)
[[nodiscard]] std::optional<std::string> part_damage(const log::StoreDirectory& store,
                                                     const log::Part& part);

/// The parts of a manifest that `wants` takes, but for those with such damage: these are added to
/// `bad`.
[[nodiscard]] std::vector<log::Part> whole_parts(const log::StoreDirectory& store,
                                                 const log::Manifest& manifest,
                                                 const std::function<bool(const log::Part&)>& wants,
                                                 std::vector<BadPlace>& bad);

}  // namespace weir::store
