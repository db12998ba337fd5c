#include "event/run_end.h"

#include <algorithm>
#include <iterator>

namespace weir::event {

bool ends_run(Type type) {
  return type == Type::kPipelineCompleted || type == Type::kPipelineFailed ||
         type == Type::kPipelineCancelled;
}

bool may_follow_end(Type type) {
  static constexpr std::string_view kFamilies[] = {"run", "node", "node detail", "tool", "signal"};
  if (type == Type::kCustom || type == Type::kToolUndone || type == Type::kToolUndoFailed) {
    return true;
  }
  return std::ranges::find(kFamilies, info(type).family) == std::end(kFamilies);
}

}  // namespace weir::event
