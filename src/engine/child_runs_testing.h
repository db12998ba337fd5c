#pragma once

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
  };
  Result<RunReport> run_pipeline(const std::string& id, json::Object payload, const How& how) {
    const auto& pipeline = *pipelines_.at(id);
    const auto& store = how.store != nullptr ? *how.store : store_;
    record::Recorder recorder(store, {});
    Engine engine(recorder, artifacts_, tools_);
    engine_ = &engine;
    const SubPipelines sub_pipelines{
        .find = [this](const std::string& one) -> Result<std::shared_ptr<const SubPipeline>> {
          if (pipelines_.contains(one)) return pipelines_.at(one);
          if (one == kInvalidPipeline) return fail(ErrorCode::kInvalidInput, "it has no nodes");
          return fail(ErrorCode::kNotFound, "there is no such pipeline");
        },
        .take = [&](const RunId& run) { return take(store, run, how.before); }};
    return engine.run({.definition = pipeline.file.definition,
                       .definition_text = pipeline.file.text,
                       .folder = ".",
                       .payload = std::move(payload),
                       .owned = how.owned,
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

  /// The lines of the fixture's store.
  std::vector<std::string> lines() { return lines_of(store_); }

  std::map<std::string, std::shared_ptr<const SubPipeline>> pipelines_;
  Engine* engine_ = nullptr;  // of the run that goes on
};

}  // namespace weir::engine
