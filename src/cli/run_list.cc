#include "cli/run_list.h"

#include <algorithm>
#include <unordered_map>

#include "cli/command.h"
#include "store/history.h"

namespace weir::cli {

Result<std::vector<project::RunState>> list_runs(const log::StoreDirectory& store) {
  std::unordered_map<RunId, project::RunState> states;
  const auto read = store::read_all(store, [&](const event::EventView& event) {
    states[event.run_id()].apply(event);
    return Result<void>();
  });
  if (!read) return std::unexpected(read.error());
  warn_of_damage(read->bad);
  std::vector<project::RunState> runs;
  runs.reserve(states.size());
  for (auto& [id, state] : states) runs.push_back(std::move(state));
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) {
    return std::pair(b.started_at, b.run_id) < std::pair(a.started_at, a.run_id);
  });
  return runs;
}

Result<project::RunState> find_run(const log::StoreDirectory& store, const std::string& name) {
  constexpr std::size_t kShortest = 4;
  WEIR_TRY(auto runs, list_runs(store));
  if (runs.empty())
    return fail(ErrorCode::kInvalidInput, store.root().string() + ": no run is recorded yet");
  if (name == "last") return std::move(runs.front());
  std::vector<project::RunState> matching;
  for (auto& run : runs) {
    const auto id = run.run_id.text();
    if (name.size() >= kShortest && (id.starts_with(name) || id.ends_with(name)))
      matching.push_back(std::move(run));
  }
  if (matching.size() == 1) return std::move(matching.front());
  if (matching.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "no run '" + name + "'; `weir runs` lists them, `last` is the newest");
  }
  return fail(ErrorCode::kInvalidInput, "'" + name + "' means " + std::to_string(matching.size()) +
                                            " runs; give more of the id");
}

std::string state_word(const log::StoreDirectory& store, const project::RunState& run) {
  if (run.inconsistent) return std::string(to_string(run.state)) + " (INCONSISTENT)";
  if (run.is_finished() || run.pipeline_type == "external")
    return std::string(to_string(run.state));
  return log::RunLock::is_held(store, run.run_id) ? "running" : "interrupted";
}

}  // namespace weir::cli
