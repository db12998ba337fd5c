#pragma once

#include "base/time.h"

namespace weir::disk {

/// The time of a schedule: the same seed, the same names.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(time_); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return time_; }
  void advance(std::chrono::milliseconds by) { time_ += by; }

 private:
  std::chrono::microseconds time_{1'700'000'000'000'000};
};

}  // namespace weir::disk
