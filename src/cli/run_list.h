#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "cli/named_run.h"
#include "log/run_lock.h"
#include "log/store_directory.h"
#include "project/run_key.h"
#include "project/run_state.h"

namespace weir::cli {

/// A run and its state in a word. One without an end is `running` while its owner lives, and then
/// `interrupted`.
struct ListedRun {
  project::RunState state;
  std::string word;
  std::string tenant_id;  ///< whose it is; empty: nobody's

  [[nodiscard]] project::RunKey key() const { return {state.run_id, tenant_id}; }
};

/// The runs that some process owns now.
using OwnedRuns = std::function<std::unordered_set<RunId>(const log::StoreDirectory&)>;

/// Every run of the store, the newest first; what processes say of themselves is none.
[[nodiscard]] Result<std::vector<ListedRun>> list_runs(
    const log::StoreDirectory& store, const OwnedRuns& owned_runs = log::RunLock::held);

/// The newest runs of a store.
struct NewestRuns {
  std::vector<ListedRun> runs;  ///< the newest first
  std::size_t total = 0;        ///< how many there are
};
/// So many of them at the most; 0: all. Of those only their events are read. With a tenant its runs
/// alone; "": nobody's.
[[nodiscard]] Result<NewestRuns> newest_runs(const log::StoreDirectory& store, std::size_t most,
                                             const std::optional<std::string>& tenant);

/// The run that a person means: `last`, the newest that no other run has started, an id, or a
/// beginning or end of one that only one run has. Errors: kInvalidInput (none), kConflict (several,
/// or several tenants have it).
[[nodiscard]] Result<ListedRun> find_run(const log::StoreDirectory& store, const NamedRun& named);
/// Its id alone, however many tenants have it. Errors: the same.
[[nodiscard]] Result<RunId> find_run_id(const log::StoreDirectory& store, const NamedRun& named);

/// A run of which events are read, and may be awaited.
struct FollowedRun {
  RunId id;
  std::optional<std::string> tenant;  ///< nothing: anybody's
  std::optional<ListedRun> listed;    ///< nothing: it is not there yet

  [[nodiscard]] bool has(const event::EventView& event) const;
};
enum class Follow : std::uint8_t { kNo, kYes };
/// The run that a person means; to be followed, by its whole id, also one that is not there yet.
/// Errors: those of find_run.
[[nodiscard]] Result<FollowedRun> find_followed_run(const log::StoreDirectory& store,
                                                    const NamedRun& named, Follow follow);

}  // namespace weir::cli
