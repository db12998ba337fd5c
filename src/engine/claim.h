#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace weir::engine {

/// Who says how an attempt has ended: the worker that runs it, or whoever stops the run at once.
/// The first to ask does, and only of an attempt whose start is recorded.
///
///   taken up ──► starting ──► started ──► ended
///       └──────────────────────────────────┘
///
/// Threads  `begin` and `end` the worker's, `seize` of one other.
class Claim {
 public:
  /// False: it is not to begin. Otherwise its start is recorded next, and then `begun` is called.
  [[nodiscard]] bool begin() { return change(kTaken, kStarting); }
  void begun() { phase_ = kStarted; }
  /// Whether the worker says how it has ended.
  [[nodiscard]] bool end() { return change(kStarted, kEnded) || change(kTaken, kEnded); }

  enum class Seized : std::uint8_t { kNot, kUnbegun, kBegun };
  /// kNot: the worker says it. Waits while a start is being recorded, which takes no lock.
  [[nodiscard]] Seized seize() {
    if (change(kTaken, kEnded)) return Seized::kUnbegun;
    while (phase_ == kStarting) std::this_thread::yield();
    return change(kStarted, kEnded) ? Seized::kBegun : Seized::kNot;
  }

 private:
  enum Phase : std::uint8_t { kTaken, kStarting, kStarted, kEnded };
  bool change(Phase from, Phase to) { return phase_.compare_exchange_strong(from, to); }
  std::atomic<Phase> phase_ = kTaken;
};

}  // namespace weir::engine
