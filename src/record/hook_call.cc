#include "record/hook_call.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>

namespace weir::record {
namespace {

/// The type of the exception being handled, as C++ writes it.
std::string type_of_exception() {
  const auto* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "an unknown exception";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type->name();
}

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
  using Kind = HookProblem::Kind;
  const auto& event = *call.event;
  try {
    const auto result =
        call.entry->hook.call({event.topic, *event.view, event.line}, call.stop.get_token());
    if (result) return {};
    return call.entry->problem(Kind::kError, result.error().message);
  } catch (const std::exception& exception) {
    return call.entry->problem(Kind::kException, type_of_exception() + ": " + exception.what());
  } catch (...) {
    return call.entry->problem(Kind::kException, type_of_exception());
  }
}

}  // namespace weir::record
