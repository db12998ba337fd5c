#pragma once

#include <map>
#include <mutex>
#include <string>

#include "artifact/artifact_store.h"
#include "engine/engine.h"
#include "project/run_state.h"
#include "tests/random_runs/random_pipeline.h"

namespace weir::random_runs {

/// A node or an item of a run.
[[nodiscard]] std::string call_key(std::string_view run_id, std::string_view node_id);

/// The tools of a run, and the people around it.
class Cast {
 public:
  /// All of them outlive it. `before` is what is recorded of the run and of those that its nodes
  /// began.
  Cast(const RandomPipeline& pipeline, const artifact::ArtifactStore& artifacts,
       const std::map<std::string, project::RunState>& before);

  [[nodiscard]] const tool::Registry& tools() const { return tools_; }
  void follow(engine::SignalFeed& feed) { feed_ = &feed; }
  void set_run(const RunId& run) { run_ = run; }
  [[nodiscard]] const RunId& run() const { return run_; }

  /// How often each was called here, by `call_key`.
  [[nodiscard]] std::map<std::string, int> calls();
  [[nodiscard]] std::map<std::string, int> undos();

  void update(const engine::NodeUpdate& update);
  [[nodiscard]] engine::SignalRequest retry_request() const;

 private:
  void answer(const std::string& node);
  void ask(engine::SignalRequest request);
  [[nodiscard]] json::Object run(const tool::Call& call);
  [[nodiscard]] json::Object undo(const tool::Call& call);
  void tell(const tool::Call& call, const std::string& word) const;
  void ask_for(const tool::Call& call, const json::Object& what);

  const RandomPipeline& pipeline_;
  const artifact::ArtifactStore& artifacts_;
  tool::Registry tools_;
  engine::SignalFeed* feed_ = nullptr;
  RunId run_ = RunId::make(system_clock().now());
  std::string answers_of_;  // no other process has signals of these names
  std::mutex mutex_;
  std::map<std::string, int> calls_;  // guarded by mutex_, as is the rest
  std::map<std::string, int> undos_;
  std::map<std::string, int> earlier_;  // by the process that was lost
  int answers_ = 0;
  bool is_hold_free_ = false;
  bool is_hold_asked_ = false;
};

}  // namespace weir::random_runs
