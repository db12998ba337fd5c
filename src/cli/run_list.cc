#include "cli/run_list.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "log/manifest.h"
#include "project/run_key.h"
#include "store/history.h"
#include "store/query.h"

namespace weir::cli {
namespace {

using project::RunKey;
using project::RunState;
using States = std::unordered_map<RunKey, RunState>;
using Keys = std::unordered_set<RunKey>;

bool has_no_end(const RunState& run) {
  return !run.is_inconsistent() && !run.is_finished() && run.pipeline_type != "external";
}

/// Of what a process says of itself: record/process_runs.h.
bool is_process_run(const RunState& run) {
  return run.pipeline_type == "external" && run.pipeline_id == "weir";
}

std::string word_of(const RunState& run, bool ownerless) {
  std::string word(to_string(run.state));
  if (has_no_end(run)) word = ownerless ? "interrupted" : "running";
  if (word == "running" && run.paused) word = "paused";
  if (run.is_inconsistent()) word += " (INCONSISTENT)";
  if (run.is_stale()) word += " (STALE)";
  return word;
}

/// A run that has begun since the owners were asked, has no end and no owner now, was interrupted,
/// or it ended after it was read: an owner leaves when the end is committed. What is read now says
/// which.
Result<void> read_again(const log::StoreDirectory& store, const Keys& runs, States& states) {
  States newer;
  std::vector<RunId> ids;
  ids.reserve(runs.size());
  for (const auto& run : runs) ids.push_back(run.run_id);
  WEIR_TRY_VOID(store::read_runs(store, ids, [&](const event::EventView& event) {
    newer[RunKey::of(event)].apply(event);
    return Result<void>();
  }));
  for (auto& [key, state] : newer) states[key] = std::move(state);
  return {};
}

/// The runs in `states` without an end and an owner. `owned` and `asked_at` are from before they
/// were read: of a run that had no owner then, all is known.
Result<Keys> ownerless_runs(const log::StoreDirectory& store, const OwnedRuns& owned_runs,
                            const std::unordered_set<RunId>& owned, Timestamp asked_at,
                            States& states) {
  Keys ownerless, newer;
  for (const auto& [key, state] : states) {
    if (!has_no_end(state) || owned.contains(key.run_id)) continue;
    ownerless.insert(key);
    if (state.started_at >= asked_at) newer.insert(key);
  }
  if (newer.empty()) return ownerless;
  const auto owned_now = owned_runs(store);
  const auto has_owner = [&](const RunKey& key) { return owned_now.contains(key.run_id); };
  std::erase_if(ownerless, has_owner);
  std::erase_if(newer, has_owner);
  if (!newer.empty()) WEIR_TRY(read_again(store, newer, states));
  return ownerless;
}

/// All runs, or these.
Result<std::vector<ListedRun>> list(const log::StoreDirectory& store, const OwnedRuns& owned_runs,
                                    const std::optional<std::vector<RunId>>& some) {
  const auto asked_at = system_clock().now();
  const auto owned = owned_runs(store);
  States states;
  const auto take = [&](const event::EventView& event) {
    states[RunKey::of(event)].apply(event);
    return Result<void>();
  };
  const auto read = some ? store::read_runs(store, *some, take) : store::read_all(store, take);
  if (!read) return std::unexpected(read.error());
  warn_of_damage(read->bad);
  std::erase_if(states, [](const auto& run) { return is_process_run(run.second); });
  WEIR_TRY(const auto ownerless, ownerless_runs(store, owned_runs, owned, asked_at, states));
  std::vector<ListedRun> runs;
  runs.reserve(states.size());
  for (auto& [key, state] : states) {
    auto word = word_of(state, ownerless.contains(key));
    runs.push_back(
        {.state = std::move(state), .word = std::move(word), .tenant_id = key.tenant_id});
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) {
    return std::tie(b.state.started_at, b.state.run_id, b.tenant_id) <
           std::tie(a.state.started_at, a.state.run_id, a.tenant_id);
  });
  return runs;
}

/// Says what cannot be read: runs may be missing.
Result<std::vector<store::RunName>> run_names(const log::StoreDirectory& store,
                                              const std::optional<std::string>& tenant = {}) {
  const auto bad = std::make_shared<store::BadPlaces>();
  const bool has_name = tenant && !tenant->empty();
  auto names = store::run_names(store, bad, has_name ? tenant : std::nullopt);
  warn_of_damage(bad->all());
  if (names && tenant) {
    std::erase_if(*names, [&](const auto& run) { return run.key.tenant_id != *tenant; });
  }
  return names;
}

}  // namespace

Result<std::vector<ListedRun>> list_runs(const log::StoreDirectory& store,
                                         const OwnedRuns& owned_runs) {
  return list(store, owned_runs, {});
}

Result<NewestRuns> newest_runs(const log::StoreDirectory& store, std::size_t most,
                               const std::optional<std::string>& tenant) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  const auto is_of_another = [&](const ListedRun& run) {
    return tenant && run.tenant_id != *tenant;
  };
  NewestRuns newest;
  if (most == 0 || manifest.parts().empty()) {
    WEIR_TRY(newest.runs, list_runs(store));
    std::erase_if(newest.runs, is_of_another);
    newest.total = newest.runs.size();
    if (most > 0 && newest.total > most) {
      newest.runs.erase(newest.runs.begin() + static_cast<std::ptrdiff_t>(most), newest.runs.end());
    }
    return newest;
  }
  // In parts a question of three columns is much faster than reading all.
  WEIR_TRY(auto names, run_names(store, tenant));
  newest.total = names.size();
  names.resize(std::min(most, names.size()));
  std::vector<RunId> ids;
  ids.reserve(names.size());
  for (const auto& name : names) ids.push_back(name.key.run_id);
  WEIR_TRY(newest.runs, list(store, log::RunLock::held, ids));
  // An id may be another tenant's too.
  std::erase_if(newest.runs, is_of_another);
  if (newest.runs.size() > most) newest.runs.resize(most);
  return newest;
}

namespace {

std::vector<store::RunName> names_of(const std::vector<ListedRun>& runs,
                                     const std::optional<std::string>& tenant) {
  std::unordered_set<std::string> children;
  for (const auto& run : runs) {
    for (const auto& child : run.state.children) children.insert(child.run_id);
  }
  std::vector<store::RunName> names;
  names.reserve(runs.size());
  for (const auto& run : runs) {
    if (tenant && run.tenant_id != *tenant) continue;
    names.push_back({.key = run.key(), .is_child = children.contains(run.state.run_id.text())});
  }
  return names;
}

/// Which of them, the newest first, a person means. Errors: kInvalidInput (none), kConflict
/// (several).
Result<RunId> meant(const log::StoreDirectory& store, const std::vector<store::RunName>& runs,
                    const NamedRun& named) {
  constexpr std::size_t kShortest = 4;
  const auto& name = named.name;
  if (runs.empty()) {
    return fail(ErrorCode::kInvalidInput,
                store.root().string() + ": no run " +
                    (named.tenant ? "of tenant '" + *named.tenant + "' " : "") + "is recorded yet");
  }
  if (name == "last") {
    const auto last = std::ranges::find_if_not(runs, &store::RunName::is_child);
    return (last == runs.end() ? runs.front() : *last).key.run_id;
  }
  std::set<RunId> matching;
  for (const auto& run : runs) {
    const auto id = run.key.run_id.text();
    if (name.size() >= kShortest && (id.starts_with(name) || id.ends_with(name))) {
      matching.insert(run.key.run_id);
    }
  }
  if (matching.size() == 1) return *matching.begin();
  if (matching.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "no run '" + name + (named.tenant ? "' of tenant '" + *named.tenant : "") +
                    "'; `weir runs` lists them, `last` is the newest that no other has started");
  }
  return fail(ErrorCode::kConflict, "'" + name + "' means " + std::to_string(matching.size()) +
                                        " runs; give more of the id");
}

/// The run of that id. Errors: kInvalidInput (none), kConflict (several).
Result<ListedRun> run_of(std::vector<ListedRun> runs, const RunId& id,
                         const std::optional<std::string>& tenant) {
  std::erase_if(runs, [&](const ListedRun& run) {
    return run.state.run_id != id || (tenant && run.tenant_id != *tenant);
  });
  if (runs.empty()) return fail(ErrorCode::kInvalidInput, "run " + id.text() + " cannot be read");
  if (runs.size() == 1) return std::move(runs.front());
  std::vector<std::string> tenants;
  tenants.reserve(runs.size());
  for (const auto& run : runs) tenants.push_back(run.tenant_id);
  return of_several("a run " + id.text(), std::move(tenants));
}

}  // namespace

Result<ListedRun> find_run(const log::StoreDirectory& store, const NamedRun& named) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  if (manifest.parts().empty()) {
    WEIR_TRY(auto runs, list_runs(store));
    WEIR_TRY(const auto id, meant(store, names_of(runs, named.tenant), named));
    return run_of(std::move(runs), id, named.tenant);
  }
  // In parts a question of three columns is much faster than reading all.
  WEIR_TRY(const auto id, find_run_id(store, named));
  WEIR_TRY(auto runs, list(store, log::RunLock::held, std::vector{id}));
  return run_of(std::move(runs), id, named.tenant);
}

Result<RunId> find_run_id(const log::StoreDirectory& store, const NamedRun& named) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  std::vector<store::RunName> names;
  if (manifest.parts().empty()) {  // then DuckDB need not be there
    WEIR_TRY(const auto runs, list_runs(store));
    names = names_of(runs, named.tenant);
  } else {
    WEIR_TRY(names, run_names(store, named.tenant));
  }
  return meant(store, names, named);
}

bool FollowedRun::has(const event::EventView& event) const {
  return event.run_id() == id && (!tenant || event.text(event::Field::kTenantId) == *tenant);
}

Result<FollowedRun> find_followed_run(const log::StoreDirectory& store, const NamedRun& named,
                                      Follow follow) {
  auto run = find_run(store, named);
  if (run) return FollowedRun{.id = run->state.run_id, .tenant = run->tenant_id, .listed = *run};
  const auto id = follow == Follow::kYes ? RunId::parse(named.name) : std::nullopt;
  if (!id || run.error().code != ErrorCode::kInvalidInput) return std::unexpected(run.error());
  return FollowedRun{.id = *id, .tenant = named.tenant, .listed = {}};
}

}  // namespace weir::cli
