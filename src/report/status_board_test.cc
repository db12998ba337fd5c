#include "report/status_board.h"

#include <gmock/gmock.h>

#include "record/recorder.h"

namespace weir::report {
namespace {

using event::Field;
using event::FieldValue;
using event::Type;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// Tests say what time it is.
class StoppedClock : public Clock {
 public:
  explicit StoppedClock(Timestamp time) : time_(time) {}
  [[nodiscard]] Timestamp now() const override { return time_; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }

 private:
  Timestamp time_;
};

class StatusBoardTest : public testing::Test {
 protected:
  static std::string fresh_path() {
    return testing::TempDir() + "status-" + std::to_string(random_bits());
  }

  std::unique_ptr<record::Run> start_run(std::string_view pipeline = "shop") {
    return start_run({.run_id = RunId::make(system_clock().now()),
                      .pipeline_type = "dag",
                      .pipeline_id = std::string(pipeline),
                      .pipeline_version = "1",
                      .trace_id = TraceId::make()});
  }
  std::unique_ptr<record::Run> start_run(const record::RunFields& fields) {
    auto run = *recorder_.begin(fields);
    const std::string_view pipeline = fields.pipeline_id;
    const std::vector<std::string> nodes{"load", "count"};
    run->emit(Type::kPipelineStarted, {{Field::kPipelineName, pipeline},
                                       {Field::kEntryNodes, std::span(nodes)},
                                       {Field::kOutputNodes, std::span(nodes)},
                                       {Field::kNodeCount, std::int64_t{2}}});
    return run;
  }
  static void start_node(record::Run& run, std::string_view id,
                         const std::vector<std::string>& needs = {}) {
    run.emit(Type::kNodeStarted, {{Field::kNodeId, id},
                                  {Field::kPluginId, std::string_view("process")},
                                  {Field::kToolId, std::string_view("run")},
                                  {Field::kStepIndex, std::int64_t{0}},
                                  {Field::kPredecessorNodeIds, std::span(needs)}});
  }
  static void end_node(record::Run& run, std::string_view id, double duration_ms) {
    const std::vector<std::string> keys;
    run.emit(Type::kNodeCompleted, {{Field::kNodeId, id},
                                    {Field::kPluginId, std::string_view("process")},
                                    {Field::kToolId, std::string_view("run")},
                                    {Field::kStepIndex, std::int64_t{0}},
                                    {Field::kDurationMs, duration_ms},
                                    {Field::kOutputKeys, std::span(keys)}});
  }
  static void end_run(record::Run& run) {
    const std::vector<std::string> nodes{"count"};
    run.emit(Type::kPipelineCompleted, {{Field::kDurationMs, 1000.0},
                                        {Field::kOutputNodeIds, std::span(nodes)},
                                        {Field::kNodeCount, std::int64_t{2}}});
  }
  static void write_artifact(record::Run& run, std::string_view path, char digit) {
    const std::string hash(64, digit);
    run.emit(Type::kArtifactWritten, {{Field::kNodeId, std::string_view("count")},
                                      {Field::kArtifactPath, path},
                                      {Field::kArtifactSha256, std::string_view(hash)}});
  }
  static void review_artifact(record::Run& run, char digit) {
    const std::string hash(64, digit);
    run.emit(Type::kArtifactReviewed, {{Field::kOutcome, std::string_view("approved")},
                                       {Field::kArtifactSha256, std::string_view(hash)},
                                       {Field::kActorId, std::string_view("ann")}});
  }

  /// All of the log, as somebody who follows it gets it.
  void follow(StatusBoard& board) {
    const auto read = store::read_all(recorder_.store(), [&board](const event::EventView& event) {
      board.apply(event);
      return Result<void>();
    });
    ASSERT_TRUE(read) << read.error().message;
  }

  log::StoreDirectory store_ = *log::StoreDirectory::create(fresh_path());
  record::Recorder recorder_{store_};
};

std::string text_of(StatusBoard& board) {
  const auto status = board.status();
  return status ? json::to_pretty_text(to_json(*status)) : status.error().message;
}

TEST_F(StatusBoardTest, OfAnEmptyStoreSaysThatNothingRuns) {
  auto board = StatusBoard::read(store_).value();
  const auto status = board.status().value();
  EXPECT_THAT(status.runs, IsEmpty());
  EXPECT_THAT(status.recent, IsEmpty());
}

TEST_F(StatusBoardTest, TwoTenantsWithOneRunIdHaveTwoRuns) {
  record::RunFields fields{.run_id = RunId::make(system_clock().now()),
                           .pipeline_type = "dag",
                           .pipeline_id = "shop",
                           .pipeline_version = "1",
                           .trace_id = TraceId::make()};
  fields.correlation.tenant_id = "acme";
  ASSERT_TRUE(start_run(fields)->flush());  // and its process is lost
  fields.correlation.tenant_id = "north";
  auto run = start_run(fields);
  ASSERT_TRUE(run->flush());
  auto board = StatusBoard::read(store_).value();
  const auto tenants = [&board] {
    std::vector<std::string> all;
    const auto status = board.status().value();
    for (const auto& one : status.runs) all.push_back(one.tenant_id);
    return all;
  };
  EXPECT_THAT(tenants(), testing::UnorderedElementsAre("acme", "north"));

  end_run(*run);
  ASSERT_TRUE(run->flush());
  run.reset();
  follow(board);
  EXPECT_THAT(tenants(), ElementsAre("acme"));
}

TEST_F(StatusBoardTest, KnowsTheTimeThatIsLeftFromEarlierRuns) {
  {
    const auto earlier = start_run();
    start_node(*earlier, "load");
    end_node(*earlier, "load", 400);
    start_node(*earlier, "count", {"load"});
    end_node(*earlier, "count", 600'000);
    end_run(*earlier);
  }
  const auto run = start_run();
  start_node(*run, "load");
  end_node(*run, "load", 400);
  start_node(*run, "count", {"load"});
  ASSERT_TRUE(run->flush());

  auto board = StatusBoard::read(store_).value();
  const auto status = board.status().value();
  ASSERT_THAT(status.runs, SizeIs(1));
  const auto& shown = status.runs[0];
  EXPECT_EQ(shown.state, "running");
  ASSERT_THAT(shown.at_work, SizeIs(1));
  EXPECT_EQ(shown.at_work[0].node_id, "count");
  EXPECT_EQ(shown.at_work[0].usual_ms, 600'000);
  ASSERT_TRUE(shown.progress.left_ms);
  EXPECT_GT(*shown.progress.left_ms, 500'000);
  EXPECT_LE(*shown.progress.left_ms, 600'000);
  EXPECT_LT(shown.progress.fraction, 0.1);
}

TEST_F(StatusBoardTest, ShowsWhatPeopleAreToldAndAsked) {
  const auto run = start_run();
  run->emit(Type::kNotification, {{Field::kMessage, std::string_view("2 areas are uncertain")}});
  run->emit(Type::kApprovalRequested, {{Field::kNodeId, std::string_view("count")},
                                       {Field::kMessage, std::string_view("Count it?")}});
  run->emit(Type::kAlertFired, {{Field::kMessage, std::string_view("too slow")}});
  run->emit(Type::kAlertFired, {{Field::kMessage, std::string_view("too late")}});
  run->emit(Type::kAlertResolved, {{Field::kMessage, std::string_view("too late")}});
  write_artifact(*run, "one.tex", '1');
  write_artifact(*run, "two.tex", '2');
  write_artifact(*run, "two.tex", '3');
  review_artifact(*run, '2');  // an older one
  review_artifact(*run, '1');
  ASSERT_TRUE(run->flush());

  auto board = StatusBoard::read(store_).value();
  const auto status = board.status().value();
  const auto messages = [](const std::vector<Happening>& happenings) {
    std::vector<std::string> texts;
    for (const auto& one : happenings) texts.push_back(one.message + one.artifact_path);
    return texts;
  };
  EXPECT_THAT(messages(status.notifications), ElementsAre("2 areas are uncertain"));
  EXPECT_THAT(messages(status.alerts), ElementsAre("too slow"));
  EXPECT_THAT(messages(status.reviews), ElementsAre("two.tex"));
  ASSERT_THAT(status.questions, SizeIs(1));
  EXPECT_EQ(status.questions[0].approval.message, "Count it?");
}

TEST_F(StatusBoardTest, KnowsWhatOthersHaveAskedOfARun) {
  const auto run = start_run();
  ASSERT_TRUE(run->flush());
  const auto target = run->id().text();
  const FieldValue fields[] = {{Field::kTargetRunId, std::string_view(target)},
                               {Field::kSignalId, std::string_view("one")},
                               {Field::kSignalType, std::string_view("pause")}};
  ASSERT_TRUE(recorder_.process_runs().emit(record::Retention::kOperations, "",
                                            Type::kSignalRequested, event::Level::kInfo, fields));
  const auto other = start_run();  // and flushes what was said
  ASSERT_TRUE(other->flush());

  auto board = StatusBoard::read(store_).value();
  std::size_t signals = 0;
  for (const auto& shown : board.status().value().runs) {
    signals += shown.signals.size();
    if (!shown.signals.empty()) {
      EXPECT_EQ(shown.run_id, run->id());
    }
  }
  EXPECT_EQ(signals, 1U);
}

TEST_F(StatusBoardTest, SaysWhichRunsHaveLostTheirProcess) {
  const auto run = start_run();
  start_node(*run, "load");
  ASSERT_TRUE(run->flush());
  // As a process leaves it that is killed.
  std::filesystem::remove(store_.run_lock(run->id()));

  auto board = StatusBoard::read(store_).value();
  const auto status = board.status().value();
  ASSERT_THAT(status.runs, SizeIs(1));
  EXPECT_EQ(status.runs[0].state, "lost");
  EXPECT_EQ(status.going(), 0U);
}

TEST_F(StatusBoardTest, ThatFollowsTheLogSaysWhatOneSaysThatReadsItNow) {
  auto followed = StatusBoard::read(store_).value();
  const auto ended = start_run();
  start_node(*ended, "load");
  end_node(*ended, "load", 400);
  write_artifact(*ended, "one.tex", '1');
  write_artifact(*ended, "two.tex", '2');
  review_artifact(*ended, '1');
  end_run(*ended);
  const auto run = start_run();
  start_node(*run, "load");
  run->emit(Type::kNotification, {{Field::kMessage, std::string_view("look")}});
  run->emit(Type::kAlertFired, {{Field::kMessage, std::string_view("too slow")}});
  ASSERT_TRUE(ended->flush());
  ASSERT_TRUE(run->flush());

  const StoppedClock clock(system_clock().now() + std::chrono::seconds(5));
  auto read = StatusBoard::read(store_, {}, clock).value();
  const auto expected = text_of(read);
  EXPECT_NE(expected.find("\"left_ms\""), std::string::npos);
  // What it knows already changes nothing.
  follow(read);
  EXPECT_EQ(text_of(read), expected);

  follow(followed);
  auto status = followed.status().value();
  status.at = clock.now();
  auto again = StatusBoard::read(store_, {}, clock).value().status().value();
  ASSERT_THAT(status.runs, SizeIs(1));
  EXPECT_EQ(status.runs[0].run_id, again.runs.at(0).run_id);
  EXPECT_EQ(status.reviews, again.reviews);
  EXPECT_EQ(status.notifications, again.notifications);
  EXPECT_EQ(status.alerts, again.alerts);
  EXPECT_EQ(status.recent.size(), again.recent.size());
}

}  // namespace
}  // namespace weir::report
