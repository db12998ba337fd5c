#include "project/transitions.h"

#include <array>
#include <string_view>

namespace weir::project {

bool belongs_inside_run(event::Type type) {
  using event::Type;
  static constexpr std::string_view kFamilies[] = {"run",      "node",  "node detail", "tool",
                                                   "approval", "guard", "signal"};
  static const auto table = [] {
    std::array<bool, event::kTypeCount + 1> inside{};
    for (const auto& info : event::types()) {
      inside[static_cast<std::size_t>(info.type)] =
          std::ranges::find(kFamilies, info.family) != std::end(kFamilies);
    }
    // What a failed run leaves is undone after its end.
    for (const auto late : {Type::kToolUndone, Type::kToolUndoFailed})
      inside[static_cast<std::size_t>(late)] = false;
    return inside;
  }();
  return table[static_cast<std::size_t>(type)];
}

}  // namespace weir::project
