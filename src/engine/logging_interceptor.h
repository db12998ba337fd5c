#pragma once

#include "engine/interceptor.h"

namespace weir::engine {

/// Says when tools are called, and what came of it, as lines of the logger `stage_interceptor`.
class LoggingInterceptor final : public Interceptor {
 public:
  [[nodiscard]] std::string_view name() const override { return "logging"; }
  [[nodiscard]] int priority() const override { return priority::kLogging; }

 protected:
  [[nodiscard]] std::optional<CallOutcome> before(Attempt& attempt) override;
  void after(Attempt& attempt, CallOutcome& outcome) override;
};

}  // namespace weir::engine
