#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "project/run_state.h"
#include "report/plan.h"

namespace weir::report {

/// How long a node usually takes, in milliseconds; nothing where no earlier run tells.
using UsualDuration = std::function<std::optional<double>(std::string_view node_id)>;

/// How far a run has come, and how long it may take yet.
struct Progress {
  /// 0 to 1: the share of the work that is done, each node weighing what it usually takes; one that
  /// no earlier run tells of weighs what the others do on average. A node that runs counts as far
  /// as its time says. Below 1 until the run has ended.
  double fraction = 0;

  /// What the nodes ahead take, in milliseconds, along the chain that takes longest: each what it
  /// usually takes, those that run what is left of that. Without the time that nodes wait for
  /// people or for workers. Nothing: no earlier run tells of any node ahead.
  std::optional<double> left_ms;
  /// That chain, in its order.
  std::vector<std::string> path;
  /// The nodes ahead that no earlier run tells of, in the plan's order: `left_ms` is without them,
  /// and so the least that it takes.
  std::vector<std::string> unknown;
  /// A node on the chain runs longer than it usually does.
  bool is_late = false;

  bool operator==(const Progress&) const = default;
};

/// `now` is for the nodes that run. Of a run that has ended: 1, and nothing left.
[[nodiscard]] Progress progress_of(const Plan& plan, const project::RunState& run,
                                   const UsualDuration& usual, Timestamp now);

}  // namespace weir::report
