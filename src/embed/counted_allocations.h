#pragma once

#include <cstdint>

namespace weir::embed::testing_support {

/// How often the calling thread has allocated memory with `new`. In test programs only.
[[nodiscard]] std::uint64_t allocations_of_this_thread();

}  // namespace weir::embed::testing_support
