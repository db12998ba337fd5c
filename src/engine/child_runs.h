#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "engine/node_events.h"
#include "engine/pauses.h"

namespace weir::engine {

/// One attempt of a node with a `pipeline`.
struct ChildCall {
  const pipeline::Node& node;
  std::string_view node_id;  ///< of the node or of its item
  json::Object payload;      ///< what the child begins with
  json::Object with;         ///< its parameters
  std::stop_token stop;
};

/// The runs that the nodes of one run begin. The child is a run of its own, in the thread of its
/// node, which waits for it: it is cancelled before its parent, and ends before it.
///
///   pipeline_child_spawned, committed ─► the child's events, committed ─► …_completed | …_failed
///
/// A lost run's child is lost with it. When the run is taken up, so is the child that its node had
/// begun: what the child had completed is not run again.
///
/// Threads  Any.
class ChildRuns {
 public:
  /// All of them outlive it. `depth` is how many runs are around this one; `place` where it stands.
  ChildRuns(Engine& engine, const RunRequest& request, record::Run& run, int depth,
            const RunPlace& place);

  /// What another process has left of this run; before the others.
  void remember(const RecordedRun& recorded) { lost_ = recorded.children; }

  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(ChildCall call, NodeEvents& events);
  /// A "pause" or a "resume" that this run has accepted goes on to those that go on, and to those
  /// that begin meanwhile.
  void hand_down(const SignalRequest& request) { pauses_.hand_down(request); }
  /// Cancels the lost runs of nodes that are not run again; after all others.
  void end_lost();
  /// Before those inside are told to stop: it is `stop_at_once` that says why.
  void announce_stop_at_once() { pauses_.announce_stop_at_once(); }
  /// This run ends at once: those inside have said that they have ended when it returns, and this
  /// run says so of them. Nothing is undone there. May be called again.
  void stop_at_once();

  /// Of the tree's slots: one that is free if the node calls a tool and there is a tree; else none
  /// is needed. False: `stop` was requested before there was one.
  [[nodiscard]] bool has_slots() const { return slots_ != nullptr; }
  struct Slot {
    std::optional<JobSlots::Slot> held{};
    bool may_run = true;
  };
  [[nodiscard]] Slot slot_for(const pipeline::Node& node, const std::stop_token& stop);

 private:
  void end_lost(std::string_view node_id, const RunId& id);

  using Outcome = std::expected<tool::Output, tool::Failure>;
  [[nodiscard]] std::optional<RecordedChild> take_lost_id(std::string_view node_id);
  [[nodiscard]] std::optional<Outcome> go_on(const RecordedChild& child, const ChildCall& call,
                                             NodeEvents& events);
  [[nodiscard]] Outcome begin(const RunId& id, ChildCall call, NodeEvents& events);
  struct What;
  [[nodiscard]] Result<RunReport> run_to_end(What what, const std::stop_token& stop);
  [[nodiscard]] Outcome conclude(const RunId& id, const ChildCall& call, Result<RunReport> report,
                                 NodeEvents& events);
  /// Whether it is for the caller to say how the child has ended.
  [[nodiscard]] bool takes_end(const RunId& id);
  enum class Ended : std::uint8_t { kCompleted, kCancelled };
  void say_ended(std::string_view node_id, const RunId& id, Ended how);
  [[nodiscard]] std::optional<tool::Failure> record_begin(const RunId& id, const ChildCall& call,
                                                          NodeEvents& events);

  Engine& engine_;
  const RunRequest& request_;
  record::Run& run_;
  const int depth_;
  const std::string tenant_id_;
  const std::vector<ModeAround> modes_;  // that hold for the runs inside
  std::optional<JobSlots> own_slots_;    // of the run around all others
  JobSlots* slots_ = nullptr;            // null: there are no children
  Pauses pauses_;
  std::mutex mutex_;
  std::map<std::string, RecordedChild, std::less<>> lost_;  // of each node; guarded by mutex_
  std::map<RunId, std::string> open_;  // of which node; nobody has said their end; by mutex_
  bool is_stopped_ = false;            // at once, and says no more of its children; by mutex_
  std::mutex ending_mutex_;            // one ends what was lost
};

}  // namespace weir::engine
