#pragma once

#include <cstddef>
#include <string_view>

namespace weir::tool {

/// Ends the processes that tools of a run have left when its own process was lost: the kernel ends
/// the programs that were started, but not what those have started themselves. They are known by
/// WEIR_RUN_ID in their environment (Call::environment), and so must be this user's. Returns how
/// many there were; all have ended then, but for those that the kernel holds.
std::size_t end_leftovers(std::string_view run_id);

}  // namespace weir::tool
