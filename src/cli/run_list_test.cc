#include "cli/run_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/recorder.h"

namespace weir::cli {
namespace {

using event::Field;
using event::Type;

/// A store with one run that has begun.
class RunningRun {
 public:
  void end() {
    run_->emit(Type::kPipelineCompleted, {{Field::kDurationMs, 1.0},
                                          {Field::kOutputNodeIds, std::span(nodes_)},
                                          {Field::kNodeCount, std::int64_t{1}},
                                          {Field::kSuccessCount, std::int64_t{1}},
                                          {Field::kFailedCount, std::int64_t{0}}});
    run_.reset();
  }
  [[nodiscard]] const log::StoreDirectory& store() const { return recorder_.store(); }

 private:
  static log::StoreDirectory fresh_store() {
    return *log::StoreDirectory::create(testing::TempDir() + "store-" +
                                        std::to_string(random_bits()));
  }
  std::unique_ptr<record::Run> begin() {
    auto run = *recorder_.begin({.run_id = RunId::make(system_clock().now()),
                                 .pipeline_type = "dag",
                                 .pipeline_id = "p",
                                 .pipeline_version = "1",
                                 .trace_id = TraceId::make()});
    run->emit(Type::kPipelineStarted, {{Field::kPipelineName, std::string_view("p")},
                                       {Field::kEntryNodes, std::span(nodes_)},
                                       {Field::kOutputNodes, std::span(nodes_)},
                                       {Field::kNodeCount, std::int64_t{1}}});
    EXPECT_TRUE(run->flush());
    return run;
  }

  const std::vector<std::string> nodes_{"n"};
  record::Recorder recorder_{fresh_store()};
  std::unique_ptr<record::Run> run_ = begin();
};

TEST(RunList, SaysRunningWhileTheOwnerLivesAndInterruptedAfterIt) {
  const RunningRun run;

  EXPECT_EQ(list_runs(run.store())->at(0).word, "running");
  const auto nobody = [](const log::StoreDirectory&, const RunId&) { return false; };
  EXPECT_EQ(list_runs(run.store(), nobody)->at(0).word, "interrupted");
}

// The run is read without an end, then it ends, and only then its owner is looked for.
TEST(RunList, DoesNotCallARunInterruptedThatEndsWhileItIsListed) {
  RunningRun run;
  const auto ended_now = [&](const log::StoreDirectory&, const RunId&) {
    run.end();
    return false;
  };

  const auto runs = list_runs(run.store(), ended_now);

  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1U);
  EXPECT_EQ(runs->at(0).word, "completed");
  EXPECT_EQ(runs->at(0).state.duration_ms, 1.0);
}

}  // namespace
}  // namespace weir::cli
