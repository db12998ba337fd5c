#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/time.h"
#include "project/run_state.h"
#include "report/happening.h"
#include "report/progress.h"

/// What goes on in a store, for people.
namespace weir::report {

/// A node that runs now, or waits to be tried again.
struct NodeAtWork {
  std::string node_id;
  std::string tool;  ///< plugin.tool
  std::int64_t attempt = 1;
  bool waits = false;  ///< for attempt number `attempt`
  Timestamp since{};
  double elapsed_ms = 0;
  std::optional<double> usual_ms;
};

/// A run that has no end.
struct RunStatus {
  RunId run_id;
  std::string tenant_id;  ///< whose it is; empty: nobody's
  std::string pipeline_id;
  /// running, paused; observed: another system runs it; lost: its process is gone.
  std::string state;
  std::string substatus;  ///< as project::to_string(Substatus)
  Timestamp started_at{};
  Timestamp last_event_at{};
  double elapsed_ms = 0;  ///< of a lost run: until its last event
  Progress progress;
  std::size_t node_count = 0;
  std::vector<std::int64_t> nodes;  ///< how many are in each project::State
  std::vector<NodeAtWork> at_work;  ///< the one that began first, first
  std::vector<project::Approval> questions;
  std::vector<project::Signal> signals;  ///< not decided yet

  [[nodiscard]] bool is_lost() const { return state == "lost"; }
};

/// What a person is asked.
struct Question {
  RunId run_id;
  std::string pipeline_id;
  project::Approval approval;
  bool is_lost = false;  ///< the run has to be resumed for the answer to matter
};

/// What has happened lately, or happens now.
struct Activity {
  Timestamp at{};
  std::string run_id;
  std::string pipeline_id;
  std::string who;     ///< the agent or the node; empty: the run itself
  std::string action;  ///< of a node its tool; else in words
  /// in_progress, completed, failed, cancelled, skipped; approved, denied, …
  std::string status;
  std::string artifact;  ///< its path
  std::optional<double> duration_ms;
};

struct Status {
  Timestamp at{};
  std::vector<RunStatus> runs;      ///< the newest first; then the lost ones that are looked at
  std::size_t older_lost = 0;       ///< lost runs that are not
  std::vector<Question> questions;  ///< the oldest first
  std::vector<Happening> reviews;   ///< artifacts nobody has judged, the newest first
  std::vector<Happening> notifications;  ///< of the last day, the newest first
  std::vector<Happening> alerts;         ///< that fire, the newest first
  std::vector<Activity> recent;          ///< the newest first

  [[nodiscard]] std::size_t going() const;
};

/// What the run's events say of it at `now`. `state` is RunStatus::state.
[[nodiscard]] RunStatus status_of(const project::RunState& run, std::string state, const Plan& plan,
                                  const UsualDuration& usual, Timestamp now);

/// The activities of a run that goes on: what runs, and what has ended, but for what failed.
[[nodiscard]] std::vector<Activity> activities_of(const project::RunState& run);
[[nodiscard]] Activity activity_of(const Happening& happening);

[[nodiscard]] json::Object to_json(const Status& status);

}  // namespace weir::report
