#include "engine/local_adapter.h"

#include <future>

#include "engine/chain_testing.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;

class LocalAdapterTest : public ChainTest {
 protected:
  /// The adapter's events of the store, each in a line.
  std::vector<std::string> adapter_events() {
    std::vector<std::string> lines;
    for (auto& event : events()) {
      if (!event.type.starts_with("adapter_")) continue;
      EXPECT_EQ(event.members["adapter"], "local");
      EXPECT_EQ(event.pipeline_id, "weir") << "the process's own run";
      lines.push_back(event.type + event.members["operation"] + event.members["attributes"]);
    }
    return lines;
  }
  Result<RunReport> run_in(record::Recorder& recorder, LocalAdapter& adapter,
                           const std::string& tool = "flaky") {
    const auto text =
        R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": ")" + tool + "\"}]}";
    const auto file = pipeline::read_definition(*json::parse(text));
    Engine engine(recorder, artifacts_, tools_);
    RunRequest request{
        .definition = file.definition, .definition_text = text, .folder = ".", .payload = {}};
    request.adapter = &adapter;
    return engine.run(request);
  }
};

TEST_F(LocalAdapterTest, SaysThatItIsAliveAndHowItsCallsWent) {
  {
    record::Recorder recorder(store_, {});
    LocalAdapter adapter(recorder);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(run_in(recorder, adapter));
  }
  EXPECT_THAT(adapter_events(),
              ElementsAre(R"(adapter_heartbeat{"runs":1,"workers":1,"busy_workers":0})",
                          "adapter_call_completedstart_run", "adapter_call_completedstart_run",
                          "adapter_call_completedstart_run",
                          R"(adapter_heartbeat{"runs":0,"workers":0,"busy_workers":0})"));
}

// With the end of the run, and not by a commit of its own.
TEST_F(LocalAdapterTest, SaysOfARunThatIsSoonOverHowItBegan) {
  record::Recorder recorder(store_, {});
  LocalAdapter adapter(recorder, {.speaks = LocalAdapter::Speaks::kAfterInterval});
  const auto report = run_in(recorder, adapter);
  ASSERT_TRUE(report);
  EXPECT_THAT(adapter_events(), ElementsAre("adapter_call_completedstart_run"));
  const auto seen = types();
  EXPECT_LT(std::ranges::find(seen, "adapter_call_completed"),
            std::ranges::find(seen, "pipeline_completed"));
  EXPECT_EQ(only("adapter_call_completed").members.at("target_run_id"), report->run_id.text());
}

TEST_F(LocalAdapterTest, BeatsWhileARunGoesOn) {
  std::promise<void> is_enough;
  add("x", "beats", [&](const tool::Call& call) {
    is_enough.get_future().wait();
    return call.payload;
  });
  {
    record::Recorder recorder(store_, {});
    LocalAdapter adapter(recorder, {.interval = std::chrono::milliseconds(5),
                                    .speaks = LocalAdapter::Speaks::kAfterInterval});
    std::thread reader([&] {
      // The first may come before the node has begun.
      const std::string beat = R"(adapter_heartbeat{"runs":1,"workers":1,"busy_workers":1})";
      while (std::ranges::count(adapter_events(), beat) < 3) std::this_thread::yield();
      is_enough.set_value();
    });
    EXPECT_TRUE(run_in(recorder, adapter, "beats"));
    reader.join();
  }
  const auto all = adapter_events();
  EXPECT_EQ(std::ranges::count(all, "adapter_call_completedstart_run"), 1)
      << "the run had begun before the first one";
  std::vector<std::string> pools;
  for (auto& event : events()) {
    if (event.type == "worker_pool_changed") pools.push_back(event.members["attributes"]);
  }
  EXPECT_THAT(pools, testing::Contains(R"({"domain":"default","limit":1})"));
  EXPECT_EQ(only("pipeline_started").members.at("adapter"), "local");
  EXPECT_EQ(only("pipeline_completed").members.at("adapter"), "local");
}

TEST_F(LocalAdapterTest, SaysWhyItCouldNotStartARun) {
  constexpr std::pair<ErrorCode, std::string_view> kTypes[] = {
      {ErrorCode::kInvalidInput, "InvalidInput"}, {ErrorCode::kNotFound, "NotFound"},
      {ErrorCode::kConflict, "Conflict"},         {ErrorCode::kIo, "IoError"},
      {ErrorCode::kExhausted, "Exhausted"},       {ErrorCode::kCorrupt, "Corrupt"},
      {ErrorCode::kCancelled, "Cancelled"},       {ErrorCode::kUnavailable, "Unavailable"}};
  record::Recorder recorder(store_, {});
  {
    LocalAdapter adapter(recorder);
    for (const auto& [code, type] : kTypes) {
      LocalAdapter::Call call(&adapter, recorder.clock(), 1);
      call.failed({code, "because of " + std::string(type)});
    }
  }
  ASSERT_TRUE(recorder.stop(record::Recorder::AtStop::kDrain, std::chrono::seconds(10)));
  std::vector<Seen> failed;
  for (const auto& event : events()) {
    if (event.type == "adapter_call_failed") failed.push_back(event);
  }
  ASSERT_EQ(failed.size(), std::size(kTypes));
  for (std::size_t i = 0; i < failed.size(); ++i) {
    EXPECT_EQ(failed[i].members.at("error_type"), kTypes[i].second);
    EXPECT_EQ(failed[i].members.at("error_message"), "because of " + std::string(kTypes[i].second));
  }
}

}  // namespace
}  // namespace weir::engine
