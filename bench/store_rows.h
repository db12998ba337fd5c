#pragma once

namespace weir::bench {

/// Prints what compaction, a look at one run, and the cookbook take, over ten million events.
void measure_store();

}  // namespace weir::bench
