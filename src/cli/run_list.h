#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "log/event_log.h"
#include "project/run_state.h"

namespace weir::cli {

/// Every run of the store, the newest first.
[[nodiscard]] Result<std::vector<project::RunState>> list_runs(const log::StoreDirectory& store);

/// The run that a person means: `last`, an id, or a beginning or end of one that only one run has.
/// Errors: kNotFound, kInvalidInput (several).
[[nodiscard]] Result<project::RunState> find_run(const log::StoreDirectory& store,
                                                 const std::string& name);

/// Its state in a word. A run without an end is `running` while its owner lives, and then
/// `interrupted`.
[[nodiscard]] std::string state_word(const log::StoreDirectory& store,
                                     const project::RunState& run);

}  // namespace weir::cli
