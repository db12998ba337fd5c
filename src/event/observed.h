#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

#include "event/catalogue.h"

namespace weir::event {

/// The pipeline_type of runs that we watch and do not run.
inline constexpr std::string_view kObserved = "external";
/// The pipeline_id of what a process of Weir says about itself, in runs of that type: the view
/// `logs`, and all that is made of it, is without them.
inline constexpr std::string_view kOwnPipeline = "weir";

/// Whether events of observed runs may leave the field out where others must have it: what a graph
/// says of a run, and how long things took. Who tells of a run need not know them, and nobody
/// invents them.
[[nodiscard]] constexpr bool may_be_unknown(Field field) {
  constexpr Field kUnknown[] = {
      Field::kEntryNodes,         Field::kOutputNodes, Field::kOutputNodeIds, Field::kNodeCount,
      Field::kFailedNodeId,       Field::kPluginId,    Field::kToolId,        Field::kStepIndex,
      Field::kPredecessorNodeIds, Field::kOutputKeys,  Field::kDurationMs,
  };
  return std::ranges::find(kUnknown, field) != std::end(kUnknown);
}

}  // namespace weir::event
