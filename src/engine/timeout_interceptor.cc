#include "engine/timeout_interceptor.h"

#include <utility>

namespace weir::engine {

void TimeoutInterceptor::around(Attempt& attempt, Next& next) {
  if (!attempt.node.timeout) {
    next.run();
    return;
  }
  const std::stop_source stop;
  const std::stop_callback on_cancel(attempt.call.stop, [&] { stop.request_stop(); });
  auto outer = std::exchange(attempt.call.stop, stop.get_token());
  const auto timer = timers_.start(*attempt.node.timeout, [&attempt, stop] {
    attempt.is_late = true;
    stop.request_stop();
  });
  next.run();
  timers_.cancel(timer);
  attempt.call.stop = std::move(outer);
}

}  // namespace weir::engine
