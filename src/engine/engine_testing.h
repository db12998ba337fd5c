#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/troubled_files.h"
#include "engine/engine.h"
#include "event/topic.h"
#include "pipeline/validate.h"
#include "project/wide_events.h"
#include "store/history.h"

/// For tests: an engine over a fresh store, and what it records there.
namespace weir::engine {

/// A recorded event, as far as the tests look at it.
struct Seen {
  std::string type;
  std::string pipeline_id;
  std::string run_id;
  std::string node_id;
  std::string level;
  std::string topic;
  std::map<std::string, std::string> members;  // as JSON or plain text
};

/// x.once: fails in a way that might be tried again, if its effects were not wanted once.
class OnceTool final : public tool::Tool {
 public:
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call&) override {
    ++calls;
    return std::unexpected(tool::Failure{
        .type = "Busy", .message = "not yet", .exit_code = {}, .usage = {}, .retryable = true});
  }
  int calls = 0;

 private:
  const tool::ToolSpec spec_{
      .plugin_id = "x", .tool_id = "once", .settings = {}, .effects = tool::Effects::kOnce};
};

[[nodiscard]] inline record::RunFields some_run() {
  return {.run_id = RunId::make(system_clock().now()),
          .pipeline_type = "external",
          .pipeline_id = "some",
          .pipeline_version = "1",
          .trace_id = TraceId::make()};
}

/// Plugin `a`, `b`: their tool `t1` adds the plugin's name to the payload, as a key.
class EngineTest : public testing::Test {
 protected:
  EngineTest()
      : store_(*log::StoreDirectory::create(
            testing::TempDir() + "engine-" + std::to_string(random_bits()), files_)),
        artifacts_(store_.artifacts()) {
    for (const std::string plugin : {"a", "b"}) {
      add(plugin, "t1", [plugin](const tool::Call& call) {
        auto output = call.payload;
        output.set(plugin, "t1");
        return output;
      });
    }
  }

  void add(const std::string& plugin, const std::string& tool,
           tool::FunctionTool::Function function) {
    tools_.add(std::make_unique<tool::FunctionTool>(plugin, tool, std::move(function)));
  }

  Result<RunReport> run(const std::string& json, json::Object payload = {}, int jobs = 2,
                        std::stop_token stop = {}) {
    const auto file = pipeline::read_definition(*json::parse(json));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    for (const auto& problem : pipeline::validate(file.definition, tools_))
      ADD_FAILURE() << problem.message;
    record::Recorder recorder(store_, {.clock = clock_});
    recorder_ = &recorder;
    Engine engine(recorder, artifacts_, tools_);
    return engine.run({.definition = file.definition,
                       .definition_text = json,
                       .folder = ".",
                       .payload = std::move(payload),
                       .jobs = jobs,
                       .loggers = loggers_,
                       .stop = std::move(stop),
                       .on_update = on_update_});
  }

  /// From any thread.
  std::vector<Seen> events() {
    project::PipelineWide wide;
    std::vector<Seen> seen;
    const auto read = store::read_all(store_, [&](const event::EventView& event) -> Result<void> {
      Seen one{.type = std::string(event.type_name()),
               .pipeline_id = std::string(event.text(event::Field::kPipelineId)),
               .run_id = std::string(event.text(event::Field::kRunId)),
               .node_id = std::string(event.text(event::Field::kNodeId)),
               .level = std::string(event.text(event::Field::kLevel))};
      for (const auto& field : event::fields()) {
        if (event.has(field.field)) one.members[std::string(field.name)] = event.text(field.field);
      }
      one.topic = event::topic_of(event);
      wide.apply(event);
      seen.push_back(std::move(one));
      return {};
    });
    EXPECT_TRUE(read && read->bad.empty());
    const std::lock_guard lock(wide_mutex_);
    wide_ = std::move(wide);
    return seen;
  }

  std::vector<std::string> types() {
    std::vector<std::string> types;
    for (const auto& event : events()) types.push_back(event.type);
    return types;
  }

  Seen only(const std::string& type) {
    Seen found;
    int count = 0;
    for (const auto& event : events()) {
      if (event.type == type) found = event, ++count;
    }
    EXPECT_EQ(count, 1) << type;
    return found;
  }

  TroubledFiles files_;
  const log::StoreDirectory store_;
  const artifact::ArtifactStore artifacts_;
  tool::Registry tools_;
  record::Recorder* recorder_ = nullptr;  // of the run that goes on
  const Clock* clock_ = &system_clock();
  const record::Loggers* loggers_ = nullptr;
  std::function<void(const NodeUpdate&)> on_update_;
  std::mutex wide_mutex_;
  project::PipelineWide wide_;  // made of the events that were read last
};

inline constexpr const char* kTwoNodes = R"({
  "id": "p_obs", "name": "obs",
  "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"}, {"id": "n2", "plugin_id": "b", "tool_id": "t1"}],
  "edges": [{"from_node": "n1", "to_node": "n2"}],
  "entry_nodes": ["n1"], "output_nodes": ["n2"]})";

/// Two nodes at once: `wait` until it is stopped, `fail` or whatever `other` is; `after` needs
/// both.
inline constexpr const char* kWaitAndFail = R"({
  "id": "p", "name": "p",
  "nodes": [{"id": "wait", "plugin_id": "x", "tool_id": "wait"}, {"id": "fail", "plugin_id": "x", "tool_id": "fail"},
            {"id": "after", "plugin_id": "a", "tool_id": "t1"}],
  "edges": [{"from_node": "wait", "to_node": "after"}, {"from_node": "fail", "to_node": "after"}],
  "entry_nodes": ["wait", "fail"], "output_nodes": ["after"]})";

}  // namespace weir::engine
