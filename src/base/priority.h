#pragma once

namespace weir {

/// How soon a thread gets a processor that it shares with others.
enum class Priority {
  kPrompt,   ///< it works for moments, and somebody waits for it: a recorder's
  kPatient,  ///< it works for long, and those that work for moments need not wait until it is done
  kAsking,   ///< it asks, and those that record or run something come first
  kBackground,  ///< and has what all others leave
};

/// Sets the priority of the calling thread and of those that it starts from now on. From asking and
/// background there is no way back. Where the system refuses, nothing changes. On Linux: the time
/// slice, since 6.12, and the nice value, sched_setattr(2).
void set_thread_priority(Priority priority);

}  // namespace weir
