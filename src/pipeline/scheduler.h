#pragma once

// Long: one state machine, whose rules are read best in one place.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "pipeline/graph.h"
#include "pipeline/policy.h"

namespace weir::pipeline {

/// A node, by its place in Definition::nodes, or, from Graph::size() on, an item of a `for_each`
/// node.
using StepIndex = std::uint32_t;

/// What the scheduler asks for.
struct Command {
  enum class Kind : std::uint8_t {
    kPrepare,    ///< find out whether the node runs, and for which items; then `prepared`
    kAsk,        ///< somebody must approve it; then `approved`, or `failed`
    kStart,      ///< run an attempt
    kRetry,      ///< the attempt failed, another follows: call `retry_due` after `delay`
    kSkip,       ///< it never runs: an ancestor has failed; nothing to report
    kAgain,      ///< it has ended, and runs again: what it made counts no more
    kCancel,     ///< its result is not wanted any more; then `cancelled`, if it was started
    kFinishRun,  ///< nothing runs any more; the last command
  };
  Kind kind;
  StepIndex step = 0;  ///< not for kFinishRun
  std::chrono::milliseconds delay{};
  bool operator==(const Command&) const = default;
};

enum class RunOutcome : std::uint8_t { kCompleted, kFailed, kCancelled };

/// What the scheduler must know of a node beside its edges.
struct StepRules {
  const RetryPolicy* retry = nullptr;  ///< null: one attempt
  bool needs_preparation = false;      ///< it has a `when` or a `for_each`
  bool needs_approval = false;
};

/// Decides what a run does next: (graph, what happened so far) → commands. No I/O, no clock, no
/// threads, and nothing random but what `seed` says.
///
///   pending ─► preparing ─► asked ─► ready ─► running ─► completed | failed | cancelled
///      │           │          │                │  ▲
///      └─ skipped ◄┘          └─ failed        └──┴ waiting for its next attempt
///
/// Each call appends to `commands`, which the caller carries out in order. What is reported of a
/// step that is not in the state for it is a defect of the caller's: `is` asks.
class Scheduler {
 public:
  enum class State : std::uint8_t {
    kPending,
    kPreparing,
    kAsked,
    kReady,  ///< held while the run is paused
    kRunning,
    kWaiting,   ///< for its next attempt
    kExpanded,  ///< a `for_each` node whose items are on their way
    kCompleted,
    kFailed,
    kSkipped,
    kCancelled,
  };
  using Commands = std::vector<Command>;

  /// `graph` and what `rules` point to must outlive it. The graph has no cycle; `rules` are those
  /// of each node, or empty.
  explicit Scheduler(const Graph& graph, std::vector<StepRules> rules = {},
                     FailureMode mode = FailureMode::kFailFast, std::uint64_t seed = 0);

  void start(Commands& commands);
  /// The node runs, once for each of `items` if it is a `for_each` node: their steps follow each
  /// other from the returned one on.
  StepIndex prepared(NodeIndex node, std::optional<std::uint32_t> items, Commands& commands);
  void approved(StepIndex step, Commands& commands);
  void completed(StepIndex step, Commands& commands);
  /// One attempt did. Of a step that is preparing or asked too.
  void failed(StepIndex step, ErrorCategory category, Commands& commands);
  void cancelled(StepIndex step, Commands& commands);
  void retry_due(StepIndex step, Commands& commands);

  /// A guard's attempt failed, and `from`, a node before it, runs again, and then all that comes
  /// after `from` and had begun, the guard included. Items of the last round are then no steps of
  /// the run any more.
  void run_again(NodeIndex guard, NodeIndex from, Commands& commands);
  /// It is going to run again, so that it need not begin (`cancelled`), and how it ends is nothing
  /// to the run.
  [[nodiscard]] bool is_unwanted(StepIndex step) const {
    return !unwanted_.empty() && unwanted_[node_of(step)];
  }
  /// Whether an attempt that failed so is followed by another by the step's own policy.
  [[nodiscard]] bool will_retry(StepIndex step, ErrorCategory category) const;

  // What people want.

  /// Whether the node can still be left out: it has not begun, or waits for another attempt.
  [[nodiscard]] bool can_skip(NodeIndex node) const {
    return states_[node] < State::kRunning || states_[node] == State::kWaiting;
  }
  /// The node is not run: its successors run without it. Of one that can be left out.
  void skip(NodeIndex node, Commands& commands);
  /// The same, but it has an output, which somebody else has made: that counts as an attempt.
  void override_output(NodeIndex node, Commands& commands);
  /// Whether a failed step can be given one attempt more: nothing went on without it.
  [[nodiscard]] bool can_retry(StepIndex step) const {
    return states_[step] == State::kFailed && !stopping_ && !finished_ &&
           mode_ != FailureMode::kBestEffort;
  }
  void retry(StepIndex step, Commands& commands);
  /// An attempt of the node that fails is not followed by another by itself.
  void try_once(NodeIndex node) {
    if (!rules_.empty()) rules_[node].retry = nullptr;
  }
  /// Nothing more starts until `resume`.
  void pause();
  /// A start that was commanded was not carried out: the step is ready again.
  void put_back(StepIndex step);
  void resume(Commands& commands);
  /// The run ends as soon as what runs has ended. The first reason decides the outcome.
  void stop(RunOutcome outcome, Commands& commands);

  /// For a run that goes on in another process: all commands that were given and whose end was not
  /// reported. What ran then starts again.
  void recover(Commands& commands);

  [[nodiscard]] State state(StepIndex step) const { return states_[step]; }
  /// Of a step: how many attempts were commanded, and those that were none and are told of as such:
  /// one that could not be prepared, or was not approved, or whose output somebody else has made.
  [[nodiscard]] int attempts(StepIndex step) const { return static_cast<int>(attempts_[step]); }
  [[nodiscard]] std::size_t steps() const { return states_.size(); }
  [[nodiscard]] NodeIndex node_of(StepIndex step) const {
    return step < graph_.size() ? step : items_[step - graph_.size()].node;
  }
  /// Of an item: its number in the list.
  [[nodiscard]] std::optional<std::uint32_t> item_of(StepIndex step) const;
  /// Of a `for_each` node whose items are known: their steps follow each other from `first` on.
  struct Items {
    StepIndex first = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] std::optional<Items> items_of(NodeIndex node) const;

  [[nodiscard]] bool is_paused() const { return paused_; }
  /// Paused, and nothing runs any more.
  [[nodiscard]] bool is_drained() const { return paused_ && running_ == 0; }
  [[nodiscard]] bool is_stopping() const { return stopping_; }
  [[nodiscard]] bool is_finished() const { return finished_; }

  /// Once kFinishRun was given.
  [[nodiscard]] RunOutcome outcome() const { return outcome_; }
  /// Of a run that failed, or of one that completed without the outputs of steps that failed.
  [[nodiscard]] std::optional<StepIndex> first_failed() const { return first_failed_; }

 private:
  struct Item {
    NodeIndex node;
    std::uint32_t index;
  };
  struct Expansion {
    Items items;
    std::uint32_t left = 0;
    bool failed = false;
    std::vector<std::uint32_t> attempts{};  // of the items of all rounds before
  };

  void group_ready(NodeIndex leader, Commands& commands);
  void node_ready(NodeIndex node, Commands& commands);
  void replace_items(NodeIndex node, Items items);
  void run_or_ask(NodeIndex node, Commands& commands);
  void approve(NodeIndex node, Commands& commands);
  void make_ready(StepIndex step, Commands& commands);
  void start_step(StepIndex step, Commands& commands);
  void leave(StepIndex step);
  void end(StepIndex step, State end, Commands& commands);
  void end_item(StepIndex step, State end, Commands& commands);
  void release_successors(NodeIndex node, Commands& commands);
  void give_up(StepIndex step, Commands& commands);
  void finish_if_idle(Commands& commands);
  void withdraw(StepIndex step, Commands& commands);
  [[nodiscard]] bool is_busy(StepIndex step) const;
  void begin_again_if_idle(Commands& commands);
  [[nodiscard]] bool lets_others_start(NodeIndex node) const;
  void find_first_failed();
  [[nodiscard]] int attempts_of_round(StepIndex step) const;
  [[nodiscard]] const RetryPolicy* retry_policy(StepIndex step) const;

  const Graph& graph_;
  std::vector<StepRules> rules_;
  const FailureMode mode_;
  const std::uint64_t seed_;
  std::vector<State> states_;
  std::vector<std::uint32_t> attempts_;
  std::map<StepIndex, std::uint32_t> attempts_before_;  // the round of a guard that goes on; few
  std::vector<bool> unwanted_;  // of each node, while a guard waits for some to end; or empty
  // Of each node: predecessors that have not ended well. Of a group that streams join, its leader's
  // is for all: predecessors outside it.
  std::vector<std::uint32_t> waiting_for_;
  std::vector<Item> items_;
  std::vector<std::pair<NodeIndex, Expansion>> expansions_;  // few
  std::deque<StepIndex> held_;                               // ready while the run is paused
  std::size_t running_ = 0;
  std::size_t busy_ = 0;  // preparing, asked, ready, running or waiting
  bool paused_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  RunOutcome outcome_ = RunOutcome::kCompleted;
  std::optional<StepIndex> first_failed_;
};

}  // namespace weir::pipeline
