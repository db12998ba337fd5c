#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/topic.h"
#include "record/builtin_hooks.h"
#include "record/event_bus.h"
#include "weir/event_bus.h"
#include "weir/sinks.h"

/// Hooks between users and the event bus.
namespace weir::embed {

struct StopData {
  const std::stop_token& token;
};

/// Errors: kInvalidInput.
[[nodiscard]] Result<std::vector<event::TopicPattern>> to_patterns(
    const std::vector<std::string>& topics);

/// An empty one prints to `descriptor`.
[[nodiscard]] record::Print to_print(Print print, int descriptor);

/// A user's hook as the bus has it. Errors: kInvalidInput.
[[nodiscard]] Result<record::Hook> to_internal(Hook hook);
/// One of ours as users have it.
[[nodiscard]] Hook to_public(record::Hook hook);
[[nodiscard]] StatusOr<Hook> to_public(Result<record::Hook> hook);

}  // namespace weir::embed
