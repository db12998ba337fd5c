#include "cli/run_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/recorder.h"
#include "store/compaction.h"

namespace weir::cli {
namespace {

using event::Field;
using event::Type;

using Owned = std::unordered_set<RunId>;

std::string fresh_path() { return testing::TempDir() + "store-" + std::to_string(random_bits()); }

/// A run that has begun, in a store of its own unless another is named.
class RunningRun {
 public:
  explicit RunningRun(log::StoreDirectory store = *log::StoreDirectory::create(fresh_path()))
      : recorder_(std::move(store)) {}
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
  record::Recorder recorder_;
  std::unique_ptr<record::Run> run_ = begin();
};

TEST(RunList, LeavesOutWhatProcessesSayOfThemselves) {
  const auto store = *log::StoreDirectory::create(fresh_path());
  {
    record::Recorder recorder(store);
    const event::FieldValue fields[] = {{Field::kAdapter, std::string_view("local")}};
    ASSERT_TRUE(recorder.process_runs().emit(
        record::Retention::kOperations, "", Type::kAdapterHeartbeat, event::Level::kDebug, fields));
  }
  EXPECT_THAT(*list_runs(store), testing::IsEmpty());
}

TEST(RunList, SaysRunningWhileTheOwnerLivesAndInterruptedAfterIt) {
  const RunningRun run;
  EXPECT_EQ(list_runs(run.store())->at(0).word, "running");

  int asked = 0;
  const auto nobody = [&](const log::StoreDirectory&) {
    ++asked;
    return Owned();
  };
  EXPECT_EQ(list_runs(run.store(), nobody)->at(0).word, "interrupted");
  EXPECT_EQ(asked, 1);  // and the store was read once
}

TEST(RunList, GivesTheNewestOfPartsAndSegmentsAndTheirNumber) {
  const auto store = *log::StoreDirectory::create(fresh_path());
  std::vector<RunId> ids;
  for (int i = 0; i < 3; ++i) {
    RunningRun run(store);
    ids.push_back(list_runs(store)->front().state.run_id);
    run.end();
    if (i < 2) continue;
    const auto newest = newest_runs(store, 2, {});  // no parts are there yet
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->total, 3U);
    EXPECT_THAT(newest->runs, testing::SizeIs(2));
  }
  const auto compacted = store::compact(store, {.keep = {}});
  ASSERT_TRUE(compacted && compacted->segments == 3);
  const RunningRun last(store);
  const auto newest = newest_runs(store, 2, {});
  ASSERT_TRUE(newest) << newest.error().message;
  EXPECT_EQ(newest->total, 4U);
  ASSERT_THAT(newest->runs, testing::SizeIs(2));
  EXPECT_EQ(newest->runs[0].word, "running");
  EXPECT_EQ(newest->runs[1].state.run_id, ids[2]);
  EXPECT_EQ(newest->runs[1].word, "completed");
  EXPECT_THAT(newest_runs(store, 0, {})->runs, testing::SizeIs(4));
}

// Its owner is looked for, and only then it ends and the store is read.
TEST(RunList, DoesNotCallARunInterruptedThatEndsWhileItIsListed) {
  RunningRun run;
  const auto ends_now = [&](const log::StoreDirectory& store) {
    auto owned = log::RunLock::held(store);
    EXPECT_EQ(owned.size(), 1U);
    run.end();
    return owned;
  };

  const auto runs = list_runs(run.store(), ends_now);

  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1U);
  EXPECT_EQ(runs->at(0).word, "completed");
  EXPECT_EQ(runs->at(0).state.duration_ms, 1.0);
}

// Owners are looked for before it begins, and again after the store was read.
TEST(RunList, DoesNotCallARunInterruptedThatBeginsWhileItIsListed) {
  std::optional<RunningRun> run;
  const auto store = *log::StoreDirectory::create(fresh_path());
  const auto begins_now = [&](const log::StoreDirectory& of) {
    auto owned = log::RunLock::held(of);
    if (!run) run.emplace(store);
    return owned;
  };
  EXPECT_EQ(list_runs(store, begins_now)->at(0).word, "running");
}

// The same, and it has ended when owners are looked for again.
TEST(RunList, DoesNotCallARunInterruptedThatBeginsAndEndsWhileItIsListed) {
  std::optional<RunningRun> run;
  const auto store = *log::StoreDirectory::create(fresh_path());
  const auto begins_and_ends = [&](const log::StoreDirectory&) {
    run ? run->end() : static_cast<void>(run.emplace(store));
    return Owned();
  };
  EXPECT_EQ(list_runs(store, begins_and_ends)->at(0).word, "completed");
}

}  // namespace
}  // namespace weir::cli
