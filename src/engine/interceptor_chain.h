#pragma once

#include <functional>
#include <vector>

#include "engine/interceptor.h"

namespace weir::engine {

/// Interceptors in their order, and what happens when they fail.
class InterceptorChain {
 public:
  /// All outlive it.
  explicit InterceptorChain(std::vector<Interceptor*> interceptors);

  [[nodiscard]] bool empty() const { return interceptors_.empty(); }
  /// `tool` throws nothing.
  [[nodiscard]] CallOutcome run(Attempt& attempt, const std::function<CallOutcome()>& tool) const;

 private:
  friend class Next;
  [[nodiscard]] CallOutcome run_from(std::size_t position, Attempt& attempt,
                                     const std::function<CallOutcome()>& tool) const;

  std::vector<Interceptor*> interceptors_;  // the outermost first
};

}  // namespace weir::engine
