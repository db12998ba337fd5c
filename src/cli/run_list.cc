#include "cli/run_list.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cli/command.h"
#include "log/manifest.h"
#include "store/history.h"
#include "store/query.h"

namespace weir::cli {
namespace {

using project::RunState;
using States = std::unordered_map<RunId, RunState>;

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
Result<void> read_again(const log::StoreDirectory& store, const std::unordered_set<RunId>& runs,
                        States& states) {
  States newer;
  const std::vector<RunId> ids(runs.begin(), runs.end());
  WEIR_TRY_VOID(store::read_runs(store, ids, [&](const event::EventView& event) {
    newer[event.run_id()].apply(event);
    return Result<void>();
  }));
  for (auto& [id, state] : newer) states[id] = std::move(state);
  return {};
}

/// The runs in `states` without an end and an owner. `owned` and `asked_at` are from before they
/// were read: of a run that had no owner then, all is known.
Result<std::unordered_set<RunId>> ownerless_runs(const log::StoreDirectory& store,
                                                 const OwnedRuns& owned_runs,
                                                 const std::unordered_set<RunId>& owned,
                                                 Timestamp asked_at, States& states) {
  std::unordered_set<RunId> ownerless, newer;
  for (const auto& [id, state] : states) {
    if (!has_no_end(state) || owned.contains(id)) continue;
    ownerless.insert(id);
    if (state.started_at >= asked_at) newer.insert(id);
  }
  if (newer.empty()) return ownerless;
  for (const auto& id : owned_runs(store)) ownerless.erase(id), newer.erase(id);
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
    states[event.run_id()].apply(event);
    return Result<void>();
  };
  const auto read = some ? store::read_runs(store, *some, take) : store::read_all(store, take);
  if (!read) return std::unexpected(read.error());
  warn_of_damage(read->bad);
  std::erase_if(states, [](const auto& run) { return is_process_run(run.second); });
  WEIR_TRY(const auto ownerless, ownerless_runs(store, owned_runs, owned, asked_at, states));
  std::vector<ListedRun> runs;
  runs.reserve(states.size());
  for (auto& [id, state] : states) {
    auto word = word_of(state, ownerless.contains(id));
    runs.push_back({.state = std::move(state), .word = std::move(word)});
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) {
    return std::pair(b.state.started_at, b.state.run_id) <
           std::pair(a.state.started_at, a.state.run_id);
  });
  return runs;
}

/// Says what cannot be read: runs may be missing.
Result<std::vector<store::RunName>> run_names(const log::StoreDirectory& store) {
  const auto bad = std::make_shared<store::BadPlaces>();
  auto names = store::run_names(store, bad);
  warn_of_damage(bad->all());
  return names;
}

}  // namespace

Result<std::vector<ListedRun>> list_runs(const log::StoreDirectory& store,
                                         const OwnedRuns& owned_runs) {
  return list(store, owned_runs, {});
}

Result<NewestRuns> newest_runs(const log::StoreDirectory& store, std::size_t most) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  NewestRuns newest;
  if (most == 0 || manifest.parts().empty()) {
    WEIR_TRY(newest.runs, list_runs(store));
    newest.total = newest.runs.size();
    if (most > 0 && newest.total > most) {
      newest.runs.erase(newest.runs.begin() + static_cast<std::ptrdiff_t>(most), newest.runs.end());
    }
    return newest;
  }
  // In parts a question of two columns is much faster than reading all.
  WEIR_TRY(auto names, run_names(store));
  newest.total = names.size();
  names.resize(std::min(most, names.size()));
  std::vector<RunId> ids;
  ids.reserve(names.size());
  for (const auto& name : names) ids.push_back(name.id);
  WEIR_TRY(newest.runs, list(store, log::RunLock::held, ids));
  return newest;
}

namespace {

std::vector<store::RunName> names_of(const std::vector<ListedRun>& runs) {
  std::unordered_set<std::string> children;
  for (const auto& run : runs) {
    for (const auto& child : run.state.children) children.insert(child.run_id);
  }
  std::vector<store::RunName> names;
  names.reserve(runs.size());
  for (const auto& run : runs) {
    names.push_back(
        {.id = run.state.run_id, .is_child = children.contains(run.state.run_id.text())});
  }
  return names;
}

/// Which of them, the newest first, a person means. Errors: kInvalidInput (none or several).
Result<RunId> named(const log::StoreDirectory& store, const std::vector<store::RunName>& runs,
                    const std::string& name) {
  constexpr std::size_t kShortest = 4;
  if (runs.empty()) {
    return fail(ErrorCode::kInvalidInput, store.root().string() + ": no run is recorded yet");
  }
  if (name == "last") {
    const auto last = std::ranges::find_if_not(runs, &store::RunName::is_child);
    return last == runs.end() ? runs.front().id : last->id;
  }
  std::vector<RunId> matching;
  for (const auto& run : runs) {
    const auto id = run.id.text();
    if (name.size() >= kShortest && (id.starts_with(name) || id.ends_with(name))) {
      matching.push_back(run.id);
    }
  }
  if (matching.size() == 1) return matching.front();
  if (matching.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "no run '" + name +
                    "'; `weir runs` lists them, `last` is the newest that no other has started");
  }
  return fail(ErrorCode::kInvalidInput, "'" + name + "' means " + std::to_string(matching.size()) +
                                            " runs; give more of the id");
}

}  // namespace

Result<ListedRun> find_run(const log::StoreDirectory& store, const std::string& name) {
  WEIR_TRY(const auto manifest, log::read_manifest(store));
  if (manifest.parts().empty()) {
    WEIR_TRY(auto runs, list_runs(store));
    WEIR_TRY(const auto id, named(store, names_of(runs), name));
    return std::move(
        *std::ranges::find(runs, id, [](const ListedRun& run) { return run.state.run_id; }));
  }
  // In parts a question of two columns is much faster than reading all.
  WEIR_TRY(const auto names, run_names(store));
  WEIR_TRY(const auto id, named(store, names, name));
  WEIR_TRY(auto runs, list(store, log::RunLock::held, std::vector{id}));
  if (runs.empty()) return fail(ErrorCode::kInvalidInput, "run " + id.text() + " cannot be read");
  return std::move(runs.front());
}

}  // namespace weir::cli
