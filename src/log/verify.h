#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "log/store_directory.h"

namespace weir::log {

struct SealVerification {
  std::uint64_t seals = 0;  ///< of segments
  std::uint64_t parts = 0;
  /// What the chain can be held to later; nothing while it is empty.
  std::optional<Sha256> anchor;
  std::uint64_t dropped_bytes = 0;  ///< of torn tails, over all seals
  /// One sentence each, naming the place. Empty: every sealed segment, or what replaced it, is
  /// there, as it was sealed.
  std::vector<std::string> problems;
  /// The same of what a crash may have left as well.
  std::vector<std::string> warnings;
};

/// Holds the segments, the manifest and its parts to the chain of seals, and the chain to `anchor`,
/// a hash that was its last at some time: finds changed, removed, renamed and reordered segments,
/// parts and seals, and with an anchor also a chain that was cut or rewritten before it. Errors:
/// kIo.
[[nodiscard]] Result<SealVerification> verify_seals(const StoreDirectory& store,
                                                    const std::optional<Sha256>& anchor = {});

}  // namespace weir::log
