#include "weir/circuit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/id.h"
#include "embed_engine/engine_testing.h"

// Tools of a program ask the circuits of what they call.
namespace weir {
namespace {

using testing::HasSubstr;

using CircuitsInProgram = embed::testing_support::EngineInProgram;

TEST_F(CircuitsInProgram, AsksCircuitsForItsOwnCalls) {
  auto engine = open();
  const auto provider = "own-" + std::to_string(random_bits());
  const CircuitCall::Rules rules{"chat", provider, 2, std::chrono::milliseconds(50)};
  ASSERT_TRUE(engine.add_tool({"x", "chat"}, [&](ToolCall& call) -> ToolResult {
    for (int i = 0; i < 2; ++i) {
      CircuitCall ask(call, rules);
      EXPECT_TRUE(ask.is_admitted());
      ask.failed("nobody answers");
      ask.succeeded();  // it has been said
    }
    {
      const CircuitCall refused(call, rules);
      EXPECT_FALSE(refused.is_admitted());
      EXPECT_GT(refused.retry_after().count(), 0);
      EXPECT_EQ(refused.refusal().type, "CircuitOpen");
      EXPECT_THAT(refused.refusal().message, HasSubstr(provider));
    }
    std::this_thread::sleep_for(rules.open_for * 2);
    {
      const CircuitCall left(call, rules);
      EXPECT_TRUE(left.is_admitted());
      const CircuitCall second(call, rules);
      EXPECT_FALSE(second.is_admitted()) << "one is let through";
    }
    CircuitCall ask(call, rules);
    EXPECT_TRUE(ask.is_admitted()) << "the last one has said nothing of the provider";
    ask.succeeded();
    return ToolOutput{};
  }));
  const auto run = engine.run_definition("id: p\nnodes: [{id: a, plugin_id: x, tool_id: chat}]\n");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->end, RunEnd::kCompleted);
  std::vector<std::string> seen;
  for (const auto& line : lines()) {
    for (const auto* type : {"circuit_opened", "circuit_half_open", "circuit_closed"}) {
      if (!line.contains('"' + std::string(type) + '"')) continue;
      seen.emplace_back(type);
      EXPECT_THAT(line, HasSubstr(R"("node_id":"a")"));
      EXPECT_THAT(line, HasSubstr(R"("operation":"chat")"));
      EXPECT_THAT(line, HasSubstr(provider));
    }
  }
  EXPECT_THAT(seen, testing::ElementsAre("circuit_opened", "circuit_half_open", "circuit_closed"));
  const auto status = circuit_status("chat", provider);
  EXPECT_EQ(status.state, CircuitState::kClosed);
  EXPECT_EQ(status.failed, 2U);
  EXPECT_EQ(status.succeeded, 1U);
}

}  // namespace
}  // namespace weir
