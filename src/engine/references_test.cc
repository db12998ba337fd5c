#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine_testing.h"

// References in `with`, parameters and secrets, as a run meets them.
namespace weir::engine {
namespace {

using testing::HasSubstr;

class ReferencesTest : public EngineTest {
 protected:
  ReferencesTest() {
    add("x", "show", [](const tool::Call& call) {
      call.log({.message = json::to_text(json::Value(call.with)), .logger = "show"});
      return call.with;
    });
    add("x", "fail", [](const tool::Call& call) -> json::Object {
      throw std::runtime_error("no entry with " + json::to_text(json::Value(call.with)));
    });
  }

  /// A node `n1` of plugin a, then `n2` with these settings.
  Result<RunReport> run_with(const std::string& with, const std::string& tool = "show") {
    const auto file = pipeline::read_definition(*json::parse(
        R"({"id": "p", "params": {"day": {"type": "integer"}},
            "nodes": [{"id": "n1", "plugin_id": "a", "tool_id": "t1"},
                      {"id": "n2", "plugin_id": "x", "tool_id": ")" +
        tool + R"(", "needs": ["n1"], "with": )" + with + "}]}"));
    EXPECT_TRUE(file.problems.empty());
    EXPECT_TRUE(pipeline::validate(file.definition, tools_).empty());
    const auto redactor = *event::Redactor::make({.literals = {kSecret}});
    record::RecorderOptions options{.clock = clock_};
    options.redactor = {std::shared_ptr<void>(), &redactor};
    record::Recorder recorder(store_, options);
    Engine engine(recorder, artifacts_, tools_, redactor);
    json::Object params;
    params.set("day", 3);
    return engine.run({.definition = file.definition,
                       .payload = *json::parse(R"({"k": [1]})")->object(),
                       .params = params,
                       .secret = [](const std::string& name) -> std::optional<std::string> {
                         if (name != "DOOR") return {};
                         return kSecret;
                       }});
  }

  static constexpr const char* kSecret = "swordfish \"17\"";
};

TEST_F(ReferencesTest, GiveTheToolWhatTheyName) {
  const auto report = run_with(
      R"({"p": "${params.day}", "i": "${input.a}/${input.k}", "n": "${nodes.n1.a}", "e": "$${x"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(json::to_text(*report->outputs[1]), R"({"p":3,"i":"t1/[1]","n":"t1","e":"${x"})");
  EXPECT_EQ(only("pipeline_started").members.at("params"), R"({"day":3})");
}

TEST_F(ReferencesTest, ThatNameNothingFailTheNode) {
  const auto report = run_with(R"({"k": "${nodes.n1.none}"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  const auto failed = only("pipeline_node_failed");
  EXPECT_EQ(failed.members.at("error_type"), "UnresolvedReference");
  EXPECT_EQ(failed.members.at("error_message"),
            "'with' of node 'n2': ${nodes.n1.none}: the output of 'n1' has no 'none'");
}

TEST_F(ReferencesTest, BringSecretsToTheToolAndIntoNoEvent) {
  const auto report = run_with(R"({"door": "a ${secrets.DOOR} b"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(*report->outputs[1]->find("door"), json::Value(std::string("a ") + kSecret + " b"));
  const auto failed = run_with(R"({"door": "${secrets.DOOR}"})", "fail");
  ASSERT_TRUE(failed);
  EXPECT_THAT(failed->failure.message, HasSubstr("swordfish"));
  for (const auto& event : events()) {
    for (const auto& [field, value] : event.members) {
      EXPECT_THAT(value, testing::Not(HasSubstr("swordfish"))) << event.type << " " << field;
    }
  }
  EXPECT_THAT(only("log").members.at("message"), HasSubstr("[REDACTED:secret_value]"));
}

}  // namespace
}  // namespace weir::engine
