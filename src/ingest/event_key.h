#pragma once

#include <cstdint>
#include <string_view>

#include "base/id.h"

namespace weir::ingest {

/// What an event of another system is known by, in 128 bits that nobody outside can aim at: which
/// they are depends on a secret of this process.
struct EventKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const EventKey&) const = default;

  [[nodiscard]] static EventKey of(std::string_view tenant, const RunId& run, std::string_view key);
};

}  // namespace weir::ingest
