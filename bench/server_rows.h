#pragma once

namespace weir::bench {

/// Prints what a server takes in by each protocol, each answer after its commit, and how long an
/// answer takes at half that load.
void measure_server();

}  // namespace weir::bench
