#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/child_runs_testing.h"

// What a run inside has done is taken back by its node.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ChildUndo : public ChildRunsTest {};

TEST_F(ChildUndo, OfOneThatCompletedIsThatOfItsNode) {
  std::vector<std::string> undone;
  const auto text_of = [](const json::Object& object) { return json::to_text(object); };
  add("x", "undo", [&](const tool::Call& call) {
    undone.push_back(std::string(call.node_id) + text_of(call.with) + text_of(call.payload));
    return json::Object();
  });
  add("x", "name", [](const tool::Call&) {
    json::Object output;
    output.set("n", "done");
    return output;
  });
  add("x", "fail", [](const tool::Call&) -> json::Object { throw std::runtime_error("no"); });
  pipeline(R"json({"id": "inner", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "name",
    "undo": {"tool": "undo"}}]})json");
  pipeline(R"json({"id": "outer", "nodes": [
    {"id": "book", "pipeline": "inner",
     "undo": {"plugin": "x", "tool": "undo", "with": {"what": "${nodes.book.n}"}}},
    {"id": "pay", "plugin_id": "x", "tool_id": "fail", "needs": ["book"]}]})json");
  const auto report = run_pipeline("outer");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_THAT(undone, ElementsAre(R"(book{"what":"done"}{"n":"done"})"));
  const auto event = only("tool_undone");
  EXPECT_EQ(event.pipeline_id, "outer");
  EXPECT_EQ(event.node_id, "book");
  EXPECT_EQ(event.members.at("plugin_id"), "x");
  EXPECT_EQ(event.members.at("tool_id"), "undo");
  EXPECT_THAT(event.members.at("attributes"), HasSubstr(R"("undoes":"inner")"));
  for (const auto& [id, state] : states_of(lines())) EXPECT_FALSE(state.is_inconsistent()) << id;
}

}  // namespace
}  // namespace weir::engine
