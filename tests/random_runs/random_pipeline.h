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
  /// What has run by the end, and with what, depends on who was first: something ends the run, or
  /// changes it while others change it.
  bool ends_early = false;
  /// Some nodes are run again because another has failed. Then nobody asks for anything.
  bool has_guard = false;
  /// How a person answers when the node asks.
  std::map<std::string, std::string> answers;  // approve, deny
  /// A node that a person has tried again when it has failed. `hold` waits until that is over.
  std::string retried_node;
  std::set<std::string> asked_signals;  ///< types that its nodes ask
};

[[nodiscard]] RandomPipeline random_pipeline(std::uint64_t seed);

}  // namespace weir::random_runs
