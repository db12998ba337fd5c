#pragma once

namespace weir::bench {

/// What a node that does nothing costs in chains, fans and layers, next to oneTBB's flow graph,
/// which records nothing; and how much memory it takes.
void measure_no_op_nodes();

}  // namespace weir::bench
