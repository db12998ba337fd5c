#include "engine/interceptor_chain.h"

#include <algorithm>
#include <utility>

#include "base/exception.h"
#include "engine/failures.h"

namespace weir::engine {
namespace {

void say(const Attempt& attempt, event::Level level, const std::string& message) {
  attempt.call.log({.level = level, .message = message, .logger = kInterceptorLogger});
}

std::string name_of(const Interceptor& interceptor) {
  return "interceptor '" + std::string(interceptor.name()) + "'";
}

}  // namespace

std::string_view status_of(const Attempt& attempt, const CallOutcome& outcome) {
  if (outcome) return "completed";
  if (outcome.error().type == tool::kTimeout) return "timeout";
  return attempt.cancelled.stop_requested() ? "cancelled" : "failed";
}

CallOutcome& Next::run() {
  if (outcome_) return *outcome_;
  return outcome_.emplace(chain_.run_from(position_, attempt_, tool_));
}

void Next::answer(CallOutcome outcome) {
  if (!outcome_) stands_in_ = true;
  outcome_ = std::move(outcome);
}

void Interceptor::around(Attempt& attempt, Next& next) {
  if (auto answer = before(attempt)) return next.answer(*std::move(answer));
  after(attempt, next.run());
}

std::optional<CallOutcome> Interceptor::before(Attempt& /*attempt*/) { return {}; }

void Interceptor::after(Attempt& /*attempt*/, CallOutcome& /*outcome*/) {}

InterceptorChain::InterceptorChain(std::vector<Interceptor*> interceptors)
    : interceptors_(std::move(interceptors)) {
  std::stable_sort(interceptors_.begin(), interceptors_.end(),
                   [](const auto* a, const auto* b) { return a->priority() < b->priority(); });
}

CallOutcome InterceptorChain::run(Attempt& attempt,
                                  const std::function<CallOutcome()>& tool) const {
  return run_from(0, attempt, tool);
}

CallOutcome InterceptorChain::run_from(std::size_t position, Attempt& attempt,
                                       const std::function<CallOutcome()>& tool) const {
  if (position == interceptors_.size()) return tool();
  auto& interceptor = *interceptors_[position];
  Next next(*this, position + 1, attempt, tool);
  try {
    interceptor.around(attempt, next);
    if (next.stands_in_) {
      say(attempt, event::Level::kInfo,
          name_of(interceptor) + " answered in the place of '" + attempt.node.tool_id.text + "'");
    }
  } catch (...) {
    const auto message = name_of(interceptor) + " failed: " + describe_exception();
    say(attempt, event::Level::kWarning, message);
    if (interceptor.is_critical()) {
      next.answer(std::unexpected(tool::Failure{
          .type = "InterceptorFailed", .message = message, .exit_code = {}, .usage = {}}));
    }
  }
  return std::move(next.run());
}

}  // namespace weir::engine
