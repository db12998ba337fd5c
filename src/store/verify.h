#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "log/store_directory.h"
#include "log/verify.h"
#include "store/history.h"

namespace weir::store {

struct Verification {
  ReadReport read;
  log::SealVerification seals;
  std::uint64_t runs = 0;
  std::uint64_t artifacts = 0;
  /// One sentence each, naming the place; those of segments and seals included. Empty: all is well.
  std::vector<std::string> problems;
  /// Files among the parts that are none of the store's.
  std::vector<std::filesystem::path> foreign;
};

/// Reads the whole store: the seals (see log::verify_seals), every commit's checksum, every event
/// against the catalogue, the numbers of each run (from 1, without holes, in order), every artifact
/// that an event names against its hash, and the rollups against their index. Bytes after the last
/// commit are no problem: nobody was told of them. Errors: kIo.
[[nodiscard]] Result<Verification> verify(const log::StoreDirectory& store,
                                          const std::optional<Sha256>& anchor = {});

}  // namespace weir::store
