#include "tests/random_runs/held_states.h"

#include <algorithm>

#include "project/run_state.h"

namespace weir::random_runs {
namespace {

using Standing = engine::Execution::Standing;
using Held = pipeline::Scheduler::State;
using project::State;

/// Of a node that never was in an event: as of one that has not begun.
struct Recorded {
  State state = State::kPending;
  bool is_tried_again = false;
  std::int64_t attempts = 0;
};

Recorded recorded_of(const project::NodeState* node) {
  if (node == nullptr) return {};
  return {.state = node->state,
          .is_tried_again = node->retry == project::Retry::kScheduled,
          .attempts = node->attempts.empty() ? 0 : node->attempts.back().number};
}

/// Who ends records it before it tells the scheduler, so that the log is ahead for that moment.
bool agrees_running(const Recorded& recorded, const Standing& held) {
  if (held.has_begun) {
    return recorded.state == State::kRunning && recorded.attempts == held.attempts;
  }
  if (!held.is_ending) return recorded.state == State::kPending;  // it waits for a worker
  return recorded.state == State::kRunning || recorded.state == State::kCompleted ||
         recorded.state == State::kCancelled;
}

/// A node for each of some items is in no events: its items are.
bool agrees(const Recorded& recorded, const Standing& held, bool has_items) {
  switch (held.state) {
    case Held::kPending:
    case Held::kAsked:
    case Held::kReady:
    case Held::kExpanded:
      return recorded.state == State::kPending;
    case Held::kPreparing:
      return recorded.state == State::kPending ||
             (held.is_ending && recorded.state == State::kRunning);
    case Held::kRunning:
      return agrees_running(recorded, held);
    case Held::kWaiting:
      return recorded.state == State::kPending && recorded.is_tried_again &&
             recorded.attempts == held.attempts;
    case Held::kCompleted:
      if (has_items) return recorded.state == State::kPending || recorded.state == State::kSkipped;
      return recorded.state == State::kCompleted && recorded.attempts >= held.attempts;
    case Held::kFailed:
      if (has_items && recorded.state == State::kPending) return true;
      return recorded.state == State::kFailed && recorded.attempts >= held.attempts;
    case Held::kSkipped:
      return recorded.state == State::kSkipped;
    case Held::kCancelled:
      return recorded.state == State::kCancelled || recorded.state == State::kPending;
  }
  return false;
}

std::string describe(const Recorded& recorded, const Standing& held) {
  return std::string(to_string(recorded.state)) + " after " + std::to_string(recorded.attempts) +
         " tries in the log, and in the engine " + std::to_string(static_cast<int>(held.state)) +
         " after " + std::to_string(held.attempts) + (held.has_begun ? ", begun" : "") +
         (held.is_ending ? ", ending" : "") + (held.is_lost ? ", lost" : "");
}

std::size_t open_questions(const project::RunState& state) {
  return static_cast<std::size_t>(
      std::ranges::count_if(state.approvals, [](const auto& one) { return one.is_open(); }));
}

std::size_t deferred_requests(const project::RunState& state) {
  return static_cast<std::size_t>(std::ranges::count_if(
      state.signals, [](const auto& one) { return one.decision == project::Decision::kDeferred; }));
}

}  // namespace

void HeldStates::moved(const engine::Execution& run) {
  Moment moment{.last_number = run.last_number(),
                .is_paused = run.is_paused(),
                .open_questions = run.signals().open_questions(),
                .deferred_requests = run.signals().deferred_requests(),
                .standings = {}};
  moment.standings.reserve(ids_.size());
  for (const auto& id : ids_) moment.standings.push_back(run.standing(id));
  moments_.push_back(std::move(moment));
}

std::optional<std::string> HeldStates::difference(const std::vector<std::string>& lines,
                                                  std::size_t& compared) const {
  project::RunState state;
  event::Decoder decoder;
  std::size_t folded = 0;
  for (const auto& moment : moments_) {
    const auto before = folded;
    for (; folded < lines.size() && state.last_run_seq < moment.last_number; ++folded) {
      state.apply(**decoder.decode(lines[folded]));
    }
    compared += folded > before ? 1 : 0;
    const auto at = "when event " + std::to_string(folded) + " was the last, ";
    if (state.last_run_seq != moment.last_number) return at + "there was another";
    if (state.paused != moment.is_paused) return at + "the run was paused here and not there";
    if (open_questions(state) != moment.open_questions) return at + "other questions were open";
    if (deferred_requests(state) != moment.deferred_requests) {
      return at + "other requests were deferred";
    }
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      const auto recorded = recorded_of(state.find_node(ids_[i]));
      const auto& held = moment.standings[i];
      if (!held && recorded.state == State::kPending) continue;
      if (!held) return at + "the engine did not know '" + ids_[i] + "'";
      const bool has_items = i + 1 < ids_.size() && ids_[i + 1] == ids_[i] + "[0]";
      if (agrees(recorded, *held, has_items)) continue;
      return at + "'" + ids_[i] + "' was " + describe(recorded, *held);
    }
  }
  return {};
}

}  // namespace weir::random_runs
