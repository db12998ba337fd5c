#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>

#include "event/catalogue.h"
#include "project/node_state.h"

/// Which event may come in which state, and what state it leads to.
namespace weir::project {

class States {
 public:
  constexpr States(std::initializer_list<State> states) {
    for (const auto state : states) bits_ |= bit(state);
  }
  [[nodiscard]] constexpr bool contains(State state) const { return (bits_ & bit(state)) != 0; }

 private:
  static constexpr unsigned bit(State state) { return 1U << static_cast<unsigned>(state); }
  unsigned bits_ = 0;
};

struct Transition {
  event::Type event;
  States from;
  State to;
};

/// Of runs:
///
///   pending ──► running ⟲ paused, resumed ──► completed, failed, cancelled
///      └─────────────────────────────────────────────────► failed (it was refused)
inline constexpr Transition kRunTransitions[] = {
    {event::Type::kPipelineStarted, {State::kPending}, State::kRunning},
    {event::Type::kPipelinePaused, {State::kRunning}, State::kRunning},
    {event::Type::kPipelineResumed, {State::kRunning}, State::kRunning},
    {event::Type::kPipelineCompleted, {State::kRunning}, State::kCompleted},
    {event::Type::kPipelineFailed, {State::kPending, State::kRunning}, State::kFailed},
    {event::Type::kPipelineCancelled, {State::kRunning}, State::kCancelled},
};

/// Of nodes:
///
///   pending ──► running ──► completed ─┐ (a guard has it run again)
///    │   ▲         ├──────► failed ────┤ (it is tried again)
///    │   │         └──────► cancelled  │
///    │   └─────────────────────────────┘
///    └──► skipped ──► pending (a guard has it decided again)
///
/// NodeState has the conditions beside the states: a start out of running is one of the machinery,
/// a retry of what is pending was asked for by a signal.
inline constexpr Transition kNodeTransitions[] = {
    {event::Type::kNodeStarted, {State::kPending, State::kRunning}, State::kRunning},
    {event::Type::kNodeCompleted, {State::kRunning}, State::kCompleted},
    {event::Type::kNodeFailed, {State::kRunning}, State::kFailed},
    {event::Type::kNodeCancelled, {State::kRunning}, State::kCancelled},
    {event::Type::kNodeSkipped, {State::kPending}, State::kSkipped},
    {event::Type::kNodeRetryScheduled,
     {State::kFailed, State::kCompleted, State::kSkipped, State::kPending},
     State::kPending},
};

/// Null when events of the type are no transition.
template <std::size_t N>
[[nodiscard]] constexpr const Transition* find_transition(const Transition (&table)[N],
                                                          event::Type type) {
  const auto* found = std::ranges::find(table, type, &Transition::event);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace weir::project
