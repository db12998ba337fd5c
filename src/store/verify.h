#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/event_log.h"
#include "store/history.h"

namespace weir::store {

struct Verification {
  ReadReport read;
  std::uint64_t runs = 0;
  std::uint64_t artifacts = 0;
  /// One sentence each, naming the place; damage of segments included. Empty: all is well.
  std::vector<std::string> problems;
};

/// Reads the whole store: every commit's checksum, every event against the catalogue, the numbers
/// of each run (from 1, without holes, in order), and every artifact that an event names against
/// its hash. Bytes after the last commit are no problem: nobody was told of them. Errors: kIo.
[[nodiscard]] Result<Verification> verify(const log::StoreDirectory& store);

}  // namespace weir::store
