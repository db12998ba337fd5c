#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/database.h"
#include "store/part_folder.h"
#include "store/retention.h"

namespace weir::store {

/// A part that is not what was written.
struct DamagedPart {
  std::string file;  ///< as in log::Part
  std::string reason;
};

/// Which runs the parts of a store hold.
struct Survey {
  /// That a part, by its index in the manifest, has so many events of a run, by its index.
  struct Presence {
    std::size_t part = 0;
    std::size_t run = 0;
    std::uint64_t events = 0;
  };

  std::vector<StoredRun> runs;  ///< that are not deleted
  std::vector<Presence> presences;
  std::vector<std::uint64_t> dead_events;  ///< by part: of runs that are deleted already
  std::vector<DamagedPart> damaged;
};

/// Reads a few columns of all parts. Runs that a damaged part may hold are spared. Errors: kIo,
/// kExhausted, kUnavailable (no DuckDB).
[[nodiscard]] Result<Survey> survey_parts(const PartFolder& folder, Connection& connection);

/// A session for reading and making parts: one thread, so much memory, and `folder` for what does
/// not fit into it. Errors: kUnavailable (no DuckDB).
[[nodiscard]] Result<Connection> open_scratch_session(Database& database,
                                                      const std::filesystem::path& folder);

}  // namespace weir::store
