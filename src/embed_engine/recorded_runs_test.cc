#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/time.h"
#include "embed_engine/engine_testing.h"

// Programs go on with recorded runs and run them again.
namespace weir {
namespace {

using testing::HasSubstr;

using RecordedRuns = embed::testing_support::EngineInProgram;

constexpr std::string_view kTwoSteps = R"(
id: p
params: {v: {type: integer, default: 1}}
nodes:
  - {id: a, plugin_id: x, tool_id: first, with: {v: '${params.v}'}}
  - {id: b, plugin_id: x, tool_id: second, needs: [a]}
output_nodes: [a, b]
)";

TEST_F(RecordedRuns, GoOnWhenTheyWereLost) {
  const auto run_id = RunId::make(system_clock().now()).text();
  if (const auto child = ::fork(); child == 0) {
    auto engine = open();
    engine
        .add_tool(
            {"x", "first"},
            [](ToolCall& call) -> ToolResult { return ToolOutput{std::string(call.settings())}; })
        .ignore();
    engine
        .add_tool({"x", "second"},
                  [this](ToolCall&) -> ToolResult {
                    while (!all_lines().contains("pipeline_node_completed"))
                      std::this_thread::yield();
                    ::_exit(7);
                  })
        .ignore();
    RunRequestOptions options;
    options.run_id = run_id;
    options.params = R"({"v": 3})";
    engine.run_definition(kTwoSteps, R"({"in": 1})", options).status().ignore();
    ::_exit(0);
  } else {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
  auto engine = open();
  EXPECT_EQ(engine.resume(run_id).status().code(), StatusCode::kInvalidInput) << "no tools";
  int calls = 0;
  ASSERT_TRUE(engine.add_tool({"x", "first"}, [&](ToolCall&) -> ToolResult {
    ++calls;
    return ToolOutput{};
  }));
  ASSERT_TRUE(engine.add_tool({"x", "second"},
                              [](ToolCall&) -> ToolResult { return ToolOutput{R"({"b": 2})"}; }));
  const auto run = engine.resume(run_id);
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_EQ(run->run_id, run_id);
  EXPECT_EQ(run->result, R"({"in":1,"v":3,"b":2})") << run->error_message;
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(engine.resume(run_id).status().code(), StatusCode::kConflict);
  EXPECT_EQ(engine.resume(engine.new_run_id()).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(engine.resume("mine").status().code(), StatusCode::kInvalidInput);
}

TEST_F(RecordedRuns, AreRunAnewForTheirTenantAndInTheirMode) {
  constexpr std::string_view kModes = R"(
id: p
execution_modes: {practice: {deny: [x.echo]}}
nodes: [{id: a, plugin_id: x, tool_id: work}]
)";
  const auto run_id = RunId::make(system_clock().now()).text();
  if (const auto child = ::fork(); child == 0) {
    auto engine = open();
    engine
        .add_tool({"x", "work"},
                  [this](ToolCall&) -> ToolResult {
                    while (!all_lines().contains("pipeline_started")) std::this_thread::yield();
                    ::_exit(7);
                  })
        .ignore();
    RunRequestOptions options;
    options.run_id = run_id;
    options.tenant_id = "acme";
    options.execution_mode = "practice";
    engine.run_definition(kModes, "{}", options).status().ignore();
    ::_exit(0);
  } else {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), 7);
  }
  auto engine = open();
  ASSERT_TRUE(engine.add_tool({"x", "work"}, [&](ToolCall& call) -> ToolResult {
    if (call.run_id() != run_id) return ToolOutput{};
    Signal anew;
    anew.type = "retry-run";
    EXPECT_TRUE(engine.signal(call.run_id(), anew));
    while (!call.is_cancelled()) std::this_thread::yield();
    return ToolFailure{"Stopped", "it was asked to stop"};
  }));
  const auto run = engine.resume(run_id);
  ASSERT_TRUE(run) << run.status().message();
  EXPECT_NE(run->run_id, run_id);
  EXPECT_EQ(run->end, RunEnd::kCompleted);
  for (const auto& line : lines()) {
    if (!line.contains(R"("pipeline_started")")) continue;
    EXPECT_THAT(line, HasSubstr(R"("tenant_id":"acme")"));
    EXPECT_THAT(line, HasSubstr(R"("execution_mode":"practice")"));
  }
}

TEST_F(RecordedRuns, RunAgain) {
  auto engine = open();
  int calls = 0;
  ASSERT_TRUE(engine.add_tool({"x", "first"}, [&](ToolCall& call) -> ToolResult {
    ++calls;
    return ToolOutput{std::string(call.settings())};
  }));
  ASSERT_TRUE(engine.add_tool({"x", "second"},
                              [](ToolCall&) -> ToolResult { return ToolOutput{R"({"b": 2})"}; }));
  RunRequestOptions options;
  options.params = R"({"v": 3})";
  const auto first = engine.run_definition(kTwoSteps, R"({"in": 1})", options);
  ASSERT_TRUE(first) << first.status().message();
  const auto from = engine.rerun(first->run_id, {"b"});
  ASSERT_TRUE(from) << from.status().message();
  EXPECT_EQ(from->result, first->result);
  EXPECT_NE(from->run_id, first->run_id);
  EXPECT_EQ(calls, 1);
  const auto whole = engine.rerun(first->run_id);
  ASSERT_TRUE(whole) << whole.status().message();
  EXPECT_EQ(whole->result, first->result);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(engine.rerun(first->run_id, {"c"}).status().code(), StatusCode::kInvalidInput);
  EXPECT_EQ(engine.rerun(engine.new_run_id()).status().code(), StatusCode::kNotFound);
}

TEST_F(RecordedRuns, OfSeveralTenantsNeedTheirs) {
  RunRequestOptions options;
  options.run_id = RunId::make(system_clock().now()).text();
  for (const auto* tenant : {"acme", "globex"}) {
    auto engine = open();
    ASSERT_TRUE(engine.add_tool({"x", "first"}, [](ToolCall& call) -> ToolResult {
      return ToolOutput{std::string(call.settings())};
    }));
    ASSERT_TRUE(engine.add_tool({"x", "second"}, [&](ToolCall&) -> ToolResult {
      return ToolOutput{R"({"of": ")" + std::string(tenant) + R"("})"};
    }));
    options.tenant_id = tenant;
    options.params = R"({"v": 3})";
    ASSERT_TRUE(engine.run_definition(kTwoSteps, "{}", options));
    if (options.tenant_id == "acme") continue;
    EXPECT_EQ(engine.rerun(options.run_id).status().code(), StatusCode::kConflict);
    EXPECT_EQ(engine.resume(options.run_id).status().code(), StatusCode::kConflict);
    EXPECT_EQ(engine.rerun(options.run_id, {}, 1, "").status().code(), StatusCode::kNotFound);
    const auto again = engine.rerun(options.run_id, {"b"}, 1, "acme");
    ASSERT_TRUE(again) << again.status().message();
    EXPECT_EQ(again->result, R"({"v":3,"of":"globex"})");
    for (const auto& line : lines()) {
      if (!line.contains(again->run_id)) continue;
      EXPECT_THAT(line, HasSubstr(R"("tenant_id":"acme")"));
    }
  }
}

}  // namespace
}  // namespace weir
