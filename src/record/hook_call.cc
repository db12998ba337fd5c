#include "record/hook_call.h"

#include <algorithm>
#include <utility>

#include "base/exception.h"

namespace weir::record {
namespace {

std::chrono::milliseconds default_timeout(HookMode mode) {
  return mode == HookMode::kSynchronous ? kSynchronousTimeout : kAsynchronousTimeout;
}

}  // namespace

KeptEvent::KeptEvent(std::string_view the_topic, std::string_view the_line)
    : topic(the_topic), line(the_line) {
  const auto decoded = decoder_.decode(line);
  WEIR_CHECK(decoded);  // the publisher has read an event from it
  view = *decoded;
}

HookEntry::HookEntry(Hook the_hook)
    : hook(std::move(the_hook)), timeout(hook.timeout.value_or(default_timeout(hook.mode))) {}

bool HookEntry::wants(std::string_view topic) const {
  return enabled.load(std::memory_order_relaxed) &&
         std::any_of(hook.topics.begin(), hook.topics.end(),
                     [&](const auto& pattern) { return pattern.matches(topic); });
}

HookStatistics HookEntry::statistics() const {
  return {.name = hook.name,
          .mode = hook.mode,
          .priority = hook.priority,
          .enabled = enabled,
          .overdue = overdue,
          .calls = calls,
          .errors = errors,
          .timeouts = timeouts,
          .dropped = dropped,
          .total_time = total_time};
}

HookProblem HookEntry::problem(HookProblem::Kind kind, std::string_view what) const {
  return {kind, hook.name, "hook '" + hook.name + "': " + std::string(what)};
}

Result<void> check(const Hook& hook) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidInput, "hook '" + hook.name + "': " + std::string(why));
  };
  if (hook.name.empty()) return refuse("it needs a name");
  if (hook.topics.empty()) return refuse("it needs a topic");
  if (!hook.call) return refuse("it needs a function");
  if (hook.timeout && (hook.timeout->count() <= 0 || *hook.timeout > kMaxHookTimeout)) {
    return refuse("its timeout must be above 0 and at most a day");
  }
  return {};
}

std::optional<HookProblem> run(const HookCall& call) {
  const auto& event = *call.event;
  try {
    const auto result =
        call.entry->hook.call({event.topic, *event.view, event.line}, call.stop.get_token());
    if (result) return {};
    return call.entry->problem(HookProblem::Kind::kError, result.error().message);
  } catch (...) {
    return call.entry->problem(HookProblem::Kind::kException, describe_exception());
  }
}

}  // namespace weir::record
