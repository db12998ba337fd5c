#include "engine/call_chain.h"

#include <algorithm>

#include "engine/failures.h"

namespace weir::engine {
namespace {

CircuitBreakers& breakers_of(const RunRequest& request) {
  return request.circuit_breakers != nullptr ? *request.circuit_breakers
                                             : CircuitBreakers::of_process();
}

/// With the `stop` that those around the call gave it: a stream must not wait for longer.
CallOutcome call_tool(const Attempt& attempt, tool::Tool& tool) {
  const auto& call = attempt.call;
  if (call.streams_in.empty() && call.streams_out.empty()) return tool::run_caught(tool, call);
  std::vector<tool::StreamReader> in;
  std::vector<tool::StreamWriter> out;
  for (const auto& stream : call.streams_in) in.push_back(stream.until(call.stop));
  for (const auto& stream : call.streams_out) out.push_back(stream.until(call.stop));
  auto own = call;
  own.streams_in = in;
  own.streams_out = out;
  return tool::run_caught(tool, own);
}

/// What `outcome` is for all that stand around it.
CallOutcome in_time(const Attempt& attempt, CallOutcome outcome) {
  if (outcome || !attempt.is_late || !attempt.node.timeout) return outcome;
  auto late = timeout_failure("node '" + std::string(attempt.node_id) + "'", *attempt.node.timeout);
  late.exit_code = outcome.error().exit_code;
  late.usage = outcome.error().usage;
  return std::unexpected(std::move(late));
}

}  // namespace

CallChain::CallChain(const RunRequest& request, Timers& timers)
    : timeout_(timers),
      circuit_(breakers_of(request)),
      chain_(interceptors_of(request, request.interceptors)),
      around_pipelines_(interceptors_of(request, {})) {}

std::vector<Interceptor*> CallChain::interceptors_of(const RunRequest& request,
                                                     std::vector<Interceptor*> all) {
  const auto any_node = [&](const auto& has) {
    return std::ranges::any_of(request.definition.nodes, has);
  };
  if (any_node([](const auto& node) { return node.timeout.has_value(); })) {
    all.push_back(&timeout_);
  }
  if (any_node([](const auto& node) { return node.circuit_breaker.has_value(); })) {
    all.push_back(&circuit_);
  }
  return all;
}

CallOutcome CallChain::run(Attempt& attempt, tool::Tool& tool) const {
  return chain_.run(attempt, [&] { return in_time(attempt, call_tool(attempt, tool)); });
}

CallOutcome CallChain::run_pipeline(Attempt& attempt,
                                    const std::function<CallOutcome()>& child) const {
  return around_pipelines_.run(attempt, [&] { return in_time(attempt, child()); });
}

}  // namespace weir::engine
