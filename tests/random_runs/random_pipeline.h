#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

// Pipelines that people might write, with nodes that fail, are tried again, wait for people, and
// ask things of their own run. Equal seeds, equal pipelines.
namespace weir::random_runs {

/// A pipeline, and what whoever plays its run must know beside its text.
struct RandomPipeline {
  std::string text;  ///< JSON
  std::string mode;  ///< of failure
  int jobs = 1;
  std::vector<std::string> ids;  ///< of its nodes, and of all items that they may have
  /// A node that may end the run runs beside others: how far those get depends on who is first.
  bool ends_beside_others = false;
  /// Somebody changes a node that, because another is skipped, may have begun by then.
  bool changes_race = false;
  /// What a guard has run again may have failed beside it, once more or not.
  bool guards_race = false;
  bool may_fail_for_good = false;
  bool may_be_cancelled = false;
  /// How a person answers when the node asks.
  std::map<std::string, std::string> answers;  // approve, deny
  /// A node that a person has tried again when it has failed. `hold` waits until that is over.
  std::string retried_node;
};

[[nodiscard]] RandomPipeline random_pipeline(std::uint64_t seed);

}  // namespace weir::random_runs
