#include "event/run_end.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace weir::event {

bool ends_run(Type type) {
  return type == Type::kPipelineCompleted || type == Type::kPipelineFailed ||
         type == Type::kPipelineCancelled;
}

bool may_follow_end(Type type) {
  static constexpr std::string_view kClosed[] = {"run",      "node",  "node detail", "tool",
                                                 "approval", "guard", "signal"};
  static const auto table = [] {
    std::array<bool, kTypeCount + 1> may{};
    may[static_cast<std::size_t>(Type::kCustom)] = true;
    for (const auto& info : types()) {
      may[static_cast<std::size_t>(info.type)] =
          std::ranges::find(kClosed, info.family) == std::end(kClosed);
    }
    for (const auto undo : {Type::kToolUndone, Type::kToolUndoFailed})
      may[static_cast<std::size_t>(undo)] = true;
    return may;
  }();
  return table[static_cast<std::size_t>(type)];
}

}  // namespace weir::event
