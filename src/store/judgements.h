#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "store/database.h"

namespace weir::store {

/// That a process run says what somebody thinks of an artifact, and a run that this is about: the
/// one that it names, or one that has written the same content.
struct Judgement {
  RunId said_in;
  std::optional<std::string> tenant;  ///< of both
  std::string content;                ///< the artifact's SHA-256
  std::optional<RunId> about{};
};

/// Those in parts that DuckDB finds at these paths, of events for which `living` holds (see
/// living_sql): one for each run that it is about. Errors: as Connection::query.
[[nodiscard]] Result<std::vector<Judgement>> read_judgements(
    Connection& connection, const std::vector<std::filesystem::path>& parts,
    const std::string& living);

}  // namespace weir::store
