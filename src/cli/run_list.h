#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "log/run_lock.h"
#include "log/store_directory.h"
#include "project/run_state.h"

namespace weir::cli {

/// A run and its state in a word. One without an end is `running` while its owner lives, and then
/// `interrupted`.
struct ListedRun {
  project::RunState state;
  std::string word;
};

/// The runs that some process owns now.
using OwnedRuns = std::function<std::unordered_set<RunId>(const log::StoreDirectory&)>;

/// Every run of the store, the newest first; what processes say of themselves is none.
[[nodiscard]] Result<std::vector<ListedRun>> list_runs(
    const log::StoreDirectory& store, const OwnedRuns& owned_runs = log::RunLock::held);

/// The run that a person means: `last`, the newest that no other run has started, an id, or a
/// beginning or end of one that only one run has. Errors: kInvalidInput (none or several).
[[nodiscard]] Result<ListedRun> find_run(const log::StoreDirectory& store, const std::string& name);

}  // namespace weir::cli
