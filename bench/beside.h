#pragma once

namespace weir::bench {

/// Records events into a store, each committed before the next one, until there is a file `stop`.
/// Prints the 99th percentile of how long a commit took, in milliseconds.
int record_until(const char* store, const char* stop);

/// Prints that of a process that records alone, and of two that do while a third one compacts and a
/// fourth queries.
void measure_recording_beside_others();

}  // namespace weir::bench
