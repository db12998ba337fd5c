#pragma once

#include "engine/interceptor.h"
#include "engine/timers.h"

namespace weir::engine {

/// Asks an attempt to stop when the node's `timeout` is over. What the tool says then is a TIMEOUT
/// for all that stand around it: see CallChain.
class TimeoutInterceptor final : public Interceptor {
 public:
  /// `timers` outlives the calls.
  explicit TimeoutInterceptor(Timers& timers) : timers_(timers) {}
  [[nodiscard]] std::string_view name() const override { return "timeout"; }
  [[nodiscard]] int priority() const override { return priority::kTimeout; }
  void around(Attempt& attempt, Next& next) override;

 private:
  Timers& timers_;
};

}  // namespace weir::engine
