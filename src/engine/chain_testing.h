#pragma once

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/circuit_breakers.h"
#include "engine/engine_testing.h"
#include "engine/interceptor.h"
#include "event/decoder.h"
#include "project/run_state.h"

namespace weir::engine {

/// For tests: runs with interceptors, and what is said of them.
class ChainTest : public EngineTest {
 protected:
  ChainTest() {
    add("x", "fail", [this](const tool::Call&) -> json::Object {
      ++calls_;
      throw std::runtime_error("it is down");
    });
    add("x", "flaky", [this](const tool::Call& call) {
      if (++calls_ <= failures_) throw std::runtime_error("it is down");
      return call.payload;
    });
    add("x", "wait", [this](const tool::Call& call) -> json::Object {
      ++calls_;
      while (!call.stop.stop_requested()) std::this_thread::yield();
      throw std::runtime_error("stopped");
    });
  }

  /// Runs the pipeline's only node, of x.`tool`, with what `change` makes of the request.
  template <class Change>
  Result<RunReport> run_node(const std::string& tool, const std::string& settings, Change change) {
    const auto text = R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": ")" + tool +
                      "\"" + (settings.empty() ? "" : ", " + settings) + "}]}";
    const auto file = pipeline::read_definition(*json::parse(text));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    record::Recorder recorder(store_, {.clock = clock_});
    Engine engine(recorder, artifacts_, tools_);
    RunRequest request{
        .definition = file.definition, .definition_text = text, .folder = ".", .payload = {}};
    request.circuit_breakers = &breakers_;
    change(request);
    return engine.run(request);
  }
  Result<RunReport> run_node(const std::string& tool, const std::string& settings = "") {
    return run_node(tool, settings, [](RunRequest&) {});
  }

  /// Messages of the logger `stage_interceptor`.
  std::vector<std::string> said() {
    std::vector<std::string> messages;
    for (auto& event : events()) {
      if (event.members["logger"] == kInterceptorLogger) {
        messages.push_back(event.level + " " + event.members["message"]);
      }
    }
    return messages;
  }
  /// The types of events that are none of the run's or its nodes' courses.
  std::vector<std::string> types_of(const std::string& prefix) {
    auto all = types();
    std::erase_if(all, [&](const auto& type) { return !type.starts_with(prefix); });
    return all;
  }
  /// Of the store's only run.
  bool is_inconsistent() {
    project::RunState state;
    const auto read = store::read_all(store_, [&](const event::EventView& event) -> Result<void> {
      state.apply(event);
      return {};
    });
    return !read || state.is_inconsistent();
  }

  std::atomic<int> calls_ = 0;
  int failures_ = 0;
  CircuitBreakers breakers_;
};

}  // namespace weir::engine
