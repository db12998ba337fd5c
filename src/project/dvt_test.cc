#include "project/dvt.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "base/json_canonical.h"
#include "project/event_feed_testing.h"

namespace weir::project::dvt {
namespace {

std::string text_of(const Result<Sha256>& hash) {
  return hash ? hash->text() : hash.error().message;
}

// "run-1|s1|2|StepFailed|plan|1.0.0" and the same without "plan|", hashed with sha256sum.
TEST(DvtKeys, AreTheHashOfTheirParts) {
  const EventKey key{.run_id = "run-1",
                     .step_id = "s1",
                     .logical_attempt_id = 2,
                     .event_type = "StepFailed",
                     .plan_id = "plan",
                     .plan_version = "1.0.0"};
  EXPECT_EQ(text_of(idempotency_key(key)),
            "7d54046d7043a9ba86cd0ccb0719ad52438474edf9584593e8063baf1fb6e7c9");
  EXPECT_EQ(text_of(idempotency_key_v1(key)),
            "003678060de8f3003a1d7918db1bb9937bafac9b20f2d53cb1c649a525f9160c");
}

TEST(DvtKeys, RefuseASeparatorInAnyPart) {
  const EventKey good{.run_id = "r", .event_type = "t", .plan_id = "p", .plan_version = "1"};
  EXPECT_TRUE(idempotency_key(good));
  for (const auto part : {&EventKey::run_id, &EventKey::step_id, &EventKey::event_type,
                          &EventKey::plan_id, &EventKey::plan_version}) {
    auto bad = good;
    bad.*part = "a|b";
    EXPECT_EQ(text_of(idempotency_key(bad)),
              "'a|b': a part of an idempotency key has no '|' in it");
    EXPECT_EQ(idempotency_key_v1(bad).has_value(), part == &EventKey::plan_id);
  }
}

TEST(DvtNames, ReadBackAsTheEventsThatTheyAreFor) {
  for (const auto& info : event::types()) {
    const auto name = name_of(info.type);
    EXPECT_EQ(name ? type_of(*name) : info.type, info.type);
  }
  EXPECT_EQ(name_of(event::Type::kNodeSkipped), "StepSkipped");
  EXPECT_EQ(name_of(event::Type::kNodeCancelled), std::nullopt);
  EXPECT_EQ(type_of("RunQueued"), std::nullopt);
}

TEST(DvtSnapshot, CountsAttemptsAndKeepsTheFirstStart) {
  Snapshot run{.run_id = "r"};
  run.apply("RunStarted", "", "t1");
  run.apply("StepStarted", "a", "t2");
  run.apply("StepFailed", "a", "t3");
  run.apply("StepStarted", "a", "t4");
  run.apply("StepTeleported", "a", "t5");
  run.apply("RunPaused", "", "t6");
  EXPECT_EQ(*json::canonical_text(run.to_json()),
            R"({"paused":true,"runId":"r","startedAt":"t1","status":"PAUSED","steps":{"a":)"
            R"({"attempts":2,"completedAt":"t3","startedAt":"t2","status":"RUNNING"}}})");
  EXPECT_EQ(text_of(run.hash()),
            "14a9b80efd950f5e6948baf566838a16ddc3d7848d4be31bbdf02fe0d4887cb0");
}

TEST(DvtSnapshot, IsMadeFromOurEvents) {
  Snapshot run;
  testing_support::EventFeed feed([&](const auto& event, std::string_view) { run.apply(event); });
  feed.start_run();
  feed.start_node("a");
  feed.complete_node("a", 1);
  feed.end_run("completed", 2);
  EXPECT_EQ(*json::canonical_text(run.to_json()),
            R"({"completedAt":"2026-01-05T03:00:00.000Z","paused":false,)"
            R"("runId":"019b8a2f-7c00-7000-8000-000000000001",)"
            R"("startedAt":"2026-01-05T03:00:00.000Z","status":"COMPLETED","steps":{"a":)"
            R"({"attempts":1,"completedAt":"2026-01-05T03:00:00.000Z",)"
            R"("startedAt":"2026-01-05T03:00:00.000Z","status":"COMPLETED"}}})");
}

/// The file of vectors made with dvt's own code.
class DvtVectors : public testing::Test {
 protected:
  void SetUp() override {
    const auto* folder = std::getenv("WEIR_TEST_DATA");
    if (folder == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
    const auto text = read_file(std::string(folder) + "/dvt_vectors.json", 10'000'000);
    ASSERT_TRUE(text) << text.error().message;
    root_ = *json::parse(*text);
  }
  const json::Array& list(std::string_view name) { return *root_.object()->find(name)->array(); }

  static std::string text(const json::Value& of, std::string_view key) {
    const auto* value = of.object()->find(key);
    return value == nullptr ? std::string() : *value->string();
  }

  json::Value root_;
};

EventKey key_of(const json::Value& vector, const std::array<std::string, 5>& texts) {
  const auto* attempt = vector.object()->find("logicalAttemptId");
  return {.run_id = texts[0],
          .step_id = texts[1],
          .logical_attempt_id = *attempt->integer(),
          .event_type = texts[2],
          .plan_id = texts[3],
          .plan_version = texts[4]};
}

TEST_F(DvtVectors, IdempotencyKeysOfBothVersionsHold) {
  const auto texts = [](const json::Value& vector) {
    auto step = text(vector, "stepIdNormalized");
    if (step == "RUN") step.clear();
    return std::array{text(vector, "runId"), step, text(vector, "eventType"),
                      text(vector, "planId"), text(vector, "planVersion")};
  };
  for (const auto& vector : list("v1_idempotency")) {
    EXPECT_EQ(text_of(idempotency_key_v1(key_of(vector, texts(vector)))),
              text(vector, "expectedDigest"));
  }
  for (const auto& vector : list("v2_idempotency")) {
    EXPECT_EQ(text_of(idempotency_key(key_of(vector, texts(vector)))),
              text(vector, "expectedSha256Hex"));
  }
  EXPECT_EQ(list("v1_idempotency").size() + list("v2_idempotency").size(), 10U);
}

TEST_F(DvtVectors, TheWholeRunOfHelloWorldHolds) {
  Snapshot run{.run_id = "run-1"};
  std::size_t steps = 0;
  for (const auto& event : list("hello_world_run1_keys")) {
    const auto type = text(event, "eventType");
    // Two steps, each started and completed: s1, s1, s2, s2.
    const auto step = type.starts_with("Step") ? "s" + std::to_string(steps++ / 2 + 1) : "";
    EXPECT_EQ(text_of(idempotency_key({.run_id = "run-1",
                                       .step_id = step,
                                       .event_type = type,
                                       .plan_id = "hello-world",
                                       .plan_version = "1.0.0"})),
              text(event, "sha256"));
    run.apply(type, step, text(event, "emittedAt"));
  }
  const auto& vector = list("snapshot_hashes_HEAD").front();
  EXPECT_EQ(*json::canonical_text(run.to_json()), text(vector, "canonical"));
  EXPECT_EQ(text_of(run.hash()), text(vector, "sha256"));
}

// The i-th event happens at second i.
TEST_F(DvtVectors, SnapshotHashesHold) {
  std::size_t checked = 0;
  for (const auto& vector : list("snapshot_hashes_HEAD")) {
    const auto* events = vector.object()->find("events_i_th_at_second_i")->array();
    if (events == nullptr) continue;  // the whole run, above
    Snapshot run{.run_id = "run-v"};
    for (std::size_t i = 0; i < events->size(); ++i) {
      const auto& event = *(*events)[i].string();
      const auto colon = std::min(event.find(':'), event.size());
      run.apply(event.substr(0, colon), event.substr(std::min(colon + 1, event.size())),
                "2026-02-12T00:00:0" + std::to_string(i) + ".000Z");
    }
    EXPECT_EQ(*json::canonical_text(run.to_json()), text(vector, "canonical"));
    EXPECT_EQ(text_of(run.hash()), text(vector, "sha256")) << text(vector, "name");
    ++checked;
  }
  EXPECT_EQ(checked, 7U);
}

}  // namespace
}  // namespace weir::project::dvt
