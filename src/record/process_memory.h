#pragma once

#include <cstdint>
#include <optional>

namespace weir::record {

/// The resident size of this process now, in bytes, as the kernel counts it (`man 5
/// proc_pid_statm`: quick, a few pages off). Nothing where there is no /proc. About two
/// microseconds.
[[nodiscard]] std::optional<std::int64_t> resident_bytes();

}  // namespace weir::record
