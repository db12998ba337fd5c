#pragma once

#include <functional>
#include <vector>

#include "engine/circuit_interceptor.h"
#include "engine/engine.h"
#include "engine/interceptor_chain.h"
#include "engine/timeout_interceptor.h"

namespace weir::engine {

/// What stands around the calls of one run: what its pipeline asks for, and what whoever runs it
/// adds. A run that has neither calls its tools at once.
class CallChain {
 public:
  /// Both outlive it. `timers` is used by calls only.
  CallChain(const RunRequest& request, Timers& timers);

  [[nodiscard]] bool empty() const { return chain_.empty(); }
  /// The outcome of a call that had its timeout behind it is a TIMEOUT, whatever the tool says.
  [[nodiscard]] CallOutcome run(Attempt& attempt, tool::Tool& tool) const;
  /// Of a node that runs a pipeline: what its pipeline asks for stands around the whole child, and
  /// what is added stands around the tools that the child calls.
  [[nodiscard]] CallOutcome run_pipeline(Attempt& attempt,
                                         const std::function<CallOutcome()>& child) const;

 private:
  /// `all` and what its pipeline asks for.
  [[nodiscard]] std::vector<Interceptor*> interceptors_of(const RunRequest& request,
                                                          std::vector<Interceptor*> all);

  TimeoutInterceptor timeout_;
  CircuitInterceptor circuit_;
  const InterceptorChain chain_;
  const InterceptorChain around_pipelines_;
};

}  // namespace weir::engine
