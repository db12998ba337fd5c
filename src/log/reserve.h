#pragma once

#include <cstdint>

#include "log/store_directory.h"

/// Room that is kept for the day on which the disk is full: docs/formats/parts.md.
namespace weir::log {

inline constexpr std::uint64_t kReserveBytes = std::uint64_t{8} << 20;

/// Keeps it, if there is room and it is not there. What cannot be done now is done another time.
void make_reserve(const StoreDirectory& store);

/// Gives it up. False: there was none.
bool give_up_reserve(const StoreDirectory& store);

/// Does something that needs room. When the disk is full, the reserve is given up and it is done
/// once more; `op` is told that it is so.
template <class Op>
[[nodiscard]] auto with_reserve(const StoreDirectory& store, const Op& op) {
  auto done = op(/*disk_is_full=*/false);
  if (!done && done.error().code == ErrorCode::kExhausted && give_up_reserve(store)) {
    done = op(/*disk_is_full=*/true);
  }
  if (done) make_reserve(store);
  return done;
}

}  // namespace weir::log
