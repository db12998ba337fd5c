#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/child_runs_testing.h"
#include "record/context.h"

// What an execution mode denies is denied in the runs inside, too.
namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ModesAround : public ChildRunsTest {
 protected:
  ModesAround() {
    for (const auto* name : {"mail", "look"}) {
      add("x", name, [this, name](const tool::Call&) {
        called_.emplace_back(name);
        return json::Object();
      });
    }
    pipeline(R"({"id": "q", "nodes": [{"id": "looks", "plugin_id": "x", "tool_id": "look"},
        {"id": "mails", "plugin_id": "x", "tool_id": "mail", "needs": ["looks"]}]})");
    pipeline(R"({"id": "m", "nodes": [{"id": "inner", "pipeline": "q"}]})");
    pipeline(R"({"id": "p", "execution_modes": {"practice": {"deny": ["x.mail"]}, "real": {}},
        "nodes": [{"id": "outer", "pipeline": "m"}]})");
  }

  Result<RunReport> run_in(const std::string& mode, const std::string& id) {
    const record::ContextScope scope([&] {
      auto context = std::make_shared<record::TraceContext>();
      context->ids.extra["execution_mode"] = mode;
      return context;
    }());
    return run_pipeline(id, {}, {.jobs = 1});
  }

  std::vector<std::string> called_;
};

TEST_F(ModesAround, HoldForRunsInsideThatDeclareNone) {
  const auto report = run_in("practice", "p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_THAT(called_, ElementsAre("look"));
  const auto denied = only("tool_denied");
  EXPECT_EQ(denied.node_id, "mails");
  EXPECT_EQ(denied.pipeline_id, "q");
  EXPECT_EQ(denied.members.at("attributes"),
            R"({"allow":[],"deny":["x.mail"],"mode_around":"practice"})");
  EXPECT_THAT(report->failure.message, HasSubstr("'practice' of a run around this one"));
}

TEST_F(ModesAround, ThatAllowItDoNotStandInTheWay) {
  const auto report = run_in("real", "p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_THAT(called_, ElementsAre("look", "mail"));
}

TEST_F(ModesAround, HoldBesideTheOwnOneOfTheRunInside) {
  pipeline(R"({"id": "q", "execution_modes": {"practice": {"allow": ["x.mail"]}}, "nodes": [
      {"id": "mails", "plugin_id": "x", "tool_id": "mail"}]})");
  ASSERT_TRUE(run_in("practice", "p"));
  EXPECT_EQ(only("tool_denied").node_id, "mails") << "its own mode allows it";
  pipeline(R"({"id": "q", "execution_modes": {"practice": {"deny": ["x.look"]}}, "nodes": [
      {"id": "looks", "plugin_id": "x", "tool_id": "look"}]})");
  const auto report = run_in("practice", "p");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed) << "the one around allows it";
  EXPECT_THAT(called_, ElementsAre());
}

// The run inside was lost with the one around it, and only it is taken up.
TEST_F(ModesAround, HoldWhenTheRunInsideIsTakenUpByItself) {
  ASSERT_TRUE(run_in("practice", "p"));
  const auto all = lines();
  const auto begun = std::ranges::find_if(all, [](const auto& line) {
    return line.contains(R"("pipeline_started")") && line.contains(R"("pipeline_id":"q")");
  });
  ASSERT_NE(begun, all.end());
  const std::vector<std::string> before = {*begun};
  event::Decoder decoder;
  const auto store = log::StoreDirectory::create(
      testing::TempDir() + "modes-" + std::to_string(random_bits()), files_);
  ASSERT_TRUE(store);
  auto lost = take(*store, (*decoder.decode(*begun))->run_id(), before);
  ASSERT_TRUE(lost);
  called_.clear();
  const auto report =
      run_pipeline("q", {}, {.jobs = 1, .owned = &lost->owned, .store = &*store, .before = before});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failure.type, "ToolDenied");
  EXPECT_THAT(called_, ElementsAre("look"));
}

}  // namespace
}  // namespace weir::engine
