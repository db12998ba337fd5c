#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

// Pipelines that people might write, with nodes that fail, are tried again, wait for people, ask
// things of their own run, share streams, and run other pipelines. Equal seeds, equal pipelines.
namespace weir::random_runs {

/// A pipeline, and what whoever plays its run must know beside its text.
struct RandomPipeline {
  std::string text;  ///< JSON
  std::string mode;  ///< of failure
  /// Those of its nodes whose outputs an earlier run has left in the cache; empty: there are none.
  std::string known_text;
  std::map<std::string, std::string> children;  ///< the pipelines that its nodes run, by id
  int jobs = 1;
  bool says_io = false;          ///< its logger is at DEBUG
  std::string execution_mode;    ///< empty: none
  std::vector<std::string> ids;  ///< of its nodes, and of all items that they may have
  /// A node that may end the run runs beside others: how far those get depends on who is first.
  bool ends_beside_others = false;
  /// Somebody changes a node that, because another is skipped, may have begun by then.
  bool changes_race = false;
  /// What a guard has run again may have failed beside it, once more or not.
  bool guards_race = false;
  bool may_fail_for_good = false;
  bool may_be_cancelled = false;
  /// A node fails by its tool or by its circuit breaker: what that knows is lost with its process.
  bool has_open_circuit = false;
  /// How a person answers when the node asks.
  std::map<std::string, std::string> answers;  // approve, deny
  /// A node that a person has tried again when it has failed. `hold` waits until that is over.
  std::string retried_node;
};

[[nodiscard]] RandomPipeline random_pipeline(std::uint64_t seed);

}  // namespace weir::random_runs
