#pragma once

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <chrono>
#include <cstdint>

#include "base/time.h"

namespace weir {

/// Whether this machine has a counter that runs at one rate on all its processors, whatever they
/// do: x86-64 with an invariant time stamp counter (CPUID 8000_0007h, EDX bit 8).
[[nodiscard]] bool has_ticks();

/// The counter. A third of the price of the system's clock. Only where `has_ticks`.
[[nodiscard]] inline std::uint64_t read_ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return 0;
#endif
}

/// Turns ticks into time: what was read a moment ago, a little later.
///
///   older ──── middle ──── last            the rate is that from `older` to `last`, one to two
///   │◄──── 1 to 2 s ────►│  ▲              seconds, so that a step of the clock, or a machine
///                          │ sync          that slept, is forgotten after so long
///
/// Error  Under two microseconds, for ticks read a few milliseconds before or after the last sync.
/// Threads One.
class TickConverter {
 public:
  /// To be made before the first ticks are read that it is asked about.
  explicit TickConverter(const Clock& clock);

  /// Compares the counter with the clock, unless it did that in the last million ticks. Before the
  /// first `at`.
  void sync();
  [[nodiscard]] Timestamp at(std::uint64_t ticks) const {
    const auto ago = static_cast<double>(static_cast<std::int64_t>(last_.ticks - ticks));
    return last_.time - std::chrono::microseconds(static_cast<std::int64_t>(ago * us_per_tick_));
  }

 private:
  struct Reading {
    std::uint64_t ticks = 0;
    std::uint64_t took = ~std::uint64_t{0};
    std::chrono::nanoseconds monotonic{};
    Timestamp time{};
  };
  [[nodiscard]] Reading read() const;

  const Clock& clock_;
  Reading older_, middle_, last_;
  double us_per_tick_ = 0;
};

}  // namespace weir
