#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "event/decoder.h"
#include "log/store_directory.h"

namespace weir::store {

/// Damage in a segment, or an event in it that is not one.
struct BadPlace {
  std::filesystem::path segment;
  std::uint64_t offset = 0;
  std::string reason;
  auto operator<=>(const BadPlace&) const = default;
};

struct ReadReport {
  std::uint64_t segments = 0;
  std::uint64_t commits = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;       ///< committed
  std::uint64_t torn_bytes = 0;  ///< after the last commits: never acknowledged
  std::vector<BadPlace> bad;     ///< suspects of SegmentReader included
};

/// Gets each event, and may end the reading by an error.
using EventHandler = std::function<Result<void>(const event::EventView&)>;

/// Hands over every committed event: a segment's in its order, segments by name, so a writer's and
/// a run's are in order. What cannot be read is in the report and does not end the reading. Errors:
/// kIo, and those of `handle`.
[[nodiscard]] Result<ReadReport> read_all(const log::StoreDirectory& store,
                                          const EventHandler& handle);

/// The same for the events of one run.
[[nodiscard]] Result<ReadReport> read_run(const log::StoreDirectory& store, const RunId& run,
                                          const EventHandler& handle);

}  // namespace weir::store
