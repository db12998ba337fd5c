#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/take_up_testing.h"
#include "event/decoder.h"
#include "project/run_state.h"

/// For tests: an engine with a registry of pipelines.
namespace weir::engine {

/// What lines tell of each run, by its id.
[[nodiscard]] inline std::map<std::string, project::RunState> states_of(
    std::span<const std::string> lines) {
  std::map<std::string, project::RunState> states;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    EXPECT_TRUE(event);
    states[std::string((*event)->text(event::Field::kRunId))].apply(**event);
  }
  return states;
}

/// Of one run.
[[nodiscard]] inline RecordedRun recorded_of(std::span<const std::string> lines, const RunId& run) {
  RecordedRun recorded;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    if (event && (*event)->run_id() == run) recorded.apply(**event);
  }
  return recorded;
}

class ChildRunsTest : public EngineTest {
 protected:
  /// Makes a pipeline that nodes can run.
  void pipeline(const std::string& json) {
    auto file = pipeline::read_definition(*json::parse(json));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    for (const auto& problem : pipeline::validate(file.definition, tools_))
      ADD_FAILURE() << problem.message;
    file.text = json;
    const auto id = file.definition.id;
    pipelines_[id] = std::make_shared<const SubPipeline>(
        SubPipeline{.file = std::move(file), .path = "/flows/" + id + ".json"});
  }

  /// One that the registry has and does not give.
  static constexpr std::string_view kInvalidPipeline = "invalid";

  struct How {
    int jobs = 2;
    std::stop_token stop{};
    OwnedRun* owned = nullptr;
    const log::StoreDirectory* store = nullptr;  ///< null: the fixture's
    std::span<const std::string> before{};       ///< what was recorded by lost processes
    std::vector<Interceptor*> interceptors{};
    bool is_asked = false;  ///< its tools can ask things of it
  };
  Result<RunReport> run_pipeline(const std::string& id, json::Object payload, const How& how) {
    const auto& pipeline = *pipelines_.at(id);
    const auto& store = how.store != nullptr ? *how.store : store_;
    record::Recorder recorder(store, {});
    Engine engine(recorder, artifacts_, tools_);
    engine_ = &engine;
    const auto feed = SignalFeed::start(recorder);
    EXPECT_TRUE(feed);
    feed_ = how.is_asked ? feed->get() : nullptr;
    const SubPipelines sub_pipelines{
        .find = [this](const std::string& one) -> Result<std::shared_ptr<const SubPipeline>> {
          if (on_find_) on_find_(one);
          if (pipelines_.contains(one)) return pipelines_.at(one);
          if (one == kInvalidPipeline) return fail(ErrorCode::kInvalidInput, "it has no nodes");
          return fail(ErrorCode::kNotFound, "there is no such pipeline");
        },
        .take = [&](const RunId& run, const std::string&) { return take(store, run, how.before); }};
    return engine.run({.definition = pipeline.file.definition,
                       .definition_text = pipeline.file.text,
                       .folder = ".",
                       .payload = std::move(payload),
                       .owned = how.owned,
                       .signals = feed_,
                       .jobs = how.jobs,
                       .interceptors = how.interceptors,
                       .stop = how.stop,
                       .on_update = {},
                       .sub_pipelines = &sub_pipelines});
  }
  Result<RunReport> run_pipeline(const std::string& id) { return run_pipeline(id, {}, How()); }

  Result<LostRun> take(const log::StoreDirectory& store, const RunId& run,
                       std::span<const std::string> before) {
    WEIR_TRY(auto lock, log::RunLock::take(store, run));
    LostRun lost{.owned = {.lock = std::move(lock), .recorded = recorded_of(before, run)},
                 .pipeline = {},
                 .payload = {},
                 .params = {}};
    const auto& recorded = lost.owned.recorded;
    if (recorded.engine_attempt == 0) return lost;
    lost.pipeline = *pipelines_.at(recorded.pipeline_id);
    lost.params = recorded.params;
    const auto input = artifacts_.get(*recorded.input_sha256, 1 << 20);
    lost.payload = *json::parse(*input)->object();
    return lost;
  }

  /// From a tool: of the run around all others. Of a run that is not asked: nothing.
  void ask_root(const tool::Call& call, const std::string& type) {
    const auto root = engine_->child_runs().root_of(*RunId::parse(call.run_id));
    ask(root, type);
  }
  void ask(const RunId& run, const std::string& type) { ask(run, type, "s-" + type); }
  void ask(const RunId& run, const std::string& type, const std::string& id) {
    if (feed_ == nullptr) return;
    EXPECT_TRUE(feed_->ask({.run = run, .signal_id = id, .type = type}, artifacts_));
  }
  /// The tool of a node `pauser` pauses the run around all others when a node `resumer` has begun,
  /// whose tool lets it go on when the first has completed.
  void add_pauser_and_resumer() {
    add("x", "pause", [this](const tool::Call& call) {
      await("pipeline_node_started", "resumer");
      ask_root(call, "pause");
      return json::Object();
    });
    add("x", "resume", [this](const tool::Call& call) {
      await("pipeline_node_completed", "pauser");
      ask_root(call, "resume");
      return json::Object();
    });
  }
  /// Until the fixture's store has as many such events. Of a run that is not asked: at once.
  void await(const std::string& type, const std::string& node_id, int count = 1) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto has = [&] {
      const auto all = events();
      return count <= std::ranges::count_if(all, [&](const auto& one) {
               return one.type == type && one.node_id == node_id;
             });
    };
    while (feed_ != nullptr && !has()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it never came: " << type << node_id;
      std::this_thread::yield();
    }
  }

  /// The lines of the fixture's store.
  std::vector<std::string> lines() { return lines_of(store_); }

  std::map<std::string, std::shared_ptr<const SubPipeline>> pipelines_;
  Engine* engine_ = nullptr;    // of the run that goes on
  SignalFeed* feed_ = nullptr;  // null: nobody can ask anything of it
  std::function<void(const std::string& id)> on_find_;
};

}  // namespace weir::engine
