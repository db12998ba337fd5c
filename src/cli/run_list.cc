#include "cli/run_list.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cli/command.h"
#include "store/history.h"

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
  const auto read = store::read_all(store, [&](const event::EventView& event) {
    if (runs.contains(event.run_id())) newer[event.run_id()].apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
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

}  // namespace

Result<std::vector<ListedRun>> list_runs(const log::StoreDirectory& store,
                                         const OwnedRuns& owned_runs) {
  const auto asked_at = system_clock().now();
  const auto owned = owned_runs(store);
  States states;
  const auto read = store::read_all(store, [&](const event::EventView& event) {
    states[event.run_id()].apply(event);
    return Result<void>();
  });
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

namespace {

/// The newest that no other run has started: those are parts of it.
ListedRun last_of(std::vector<ListedRun> runs) {
  std::unordered_set<std::string> children;
  for (const auto& run : runs) {
    for (const auto& child : run.state.children) children.insert(child.run_id);
  }
  const auto last = std::ranges::find_if(
      runs, [&](const auto& run) { return !children.contains(run.state.run_id.text()); });
  return std::move(last == runs.end() ? runs.front() : *last);
}

}  // namespace

Result<ListedRun> find_run(const log::StoreDirectory& store, const std::string& name) {
  constexpr std::size_t kShortest = 4;
  WEIR_TRY(auto runs, list_runs(store));
  if (runs.empty())
    return fail(ErrorCode::kInvalidInput, store.root().string() + ": no run is recorded yet");
  if (name == "last") return last_of(std::move(runs));
  std::vector<ListedRun> matching;
  for (auto& run : runs) {
    const auto id = run.state.run_id.text();
    if (name.size() >= kShortest && (id.starts_with(name) || id.ends_with(name)))
      matching.push_back(std::move(run));
  }
  if (matching.size() == 1) return std::move(matching.front());
  if (matching.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "no run '" + name +
                    "'; `weir runs` lists them, `last` is the newest that no other has started");
  }
  return fail(ErrorCode::kInvalidInput, "'" + name + "' means " + std::to_string(matching.size()) +
                                            " runs; give more of the id");
}

}  // namespace weir::cli
