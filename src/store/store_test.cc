#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "artifact/artifact_store.h"
#include "log/segment.h"
#include "record/recorder.h"
#include "store/event_table.h"
#include "store/query.h"
#include "store/rows_testing.h"
#include "store/verify.h"

namespace weir::store {
namespace {

using event::Field;
using event::Type;
using testing::HasSubstr;

/// A store with two runs: one completed with two nodes, one failed at its first node.
class StoreTest : public testing::Test {
 protected:
  StoreTest()
      : store_(*log::StoreDirectory::create(testing::TempDir() + "store-" +
                                            std::to_string(random_bits()))) {
    record::Recorder recorder(store_);
    record_run(recorder, true);
    record_run(recorder, false);
  }

  void record_run(record::Recorder& recorder, bool succeeds) {
    const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                      .pipeline_type = "dag",
                                      .pipeline_id = "player_tracking_v1",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
    run_ids_.push_back(run->id().text());
    const std::vector<std::string> none, a = {"a"}, keys = {"x", "y"};
    const std::int64_t two = 2;
    run->emit(Type::kPipelineStarted, {{Field::kEntryNodes, std::span(a)},
                                       {Field::kOutputNodes, std::span(a)},
                                       {Field::kNodeCount, two}});
    const std::string_view plugin = "p", tool = "t", error = "E", message = "m";
    for (std::int64_t step = 0; step < 2; ++step) {
      const std::string_view node = step == 0 ? "a" : "b";
      run->emit(Type::kNodeStarted,
                {{Field::kNodeId, node},
                 {Field::kPluginId, plugin},
                 {Field::kToolId, tool},
                 {Field::kStepIndex, step},
                 {Field::kPredecessorNodeIds, step == 0 ? std::span(none) : std::span(a)}});
      if (!succeeds) {
        run->emit(Type::kNodeFailed, {{Field::kNodeId, node},
                                      {Field::kPluginId, plugin},
                                      {Field::kToolId, tool},
                                      {Field::kStepIndex, step},
                                      {Field::kDurationMs, 7.0},
                                      {Field::kErrorType, error},
                                      {Field::kErrorMessage, message}});
        run->emit(Type::kPipelineFailed, {{Field::kDurationMs, 8.0},
                                          {Field::kErrorType, error},
                                          {Field::kErrorMessage, message},
                                          {Field::kFailedNodeId, node}});
        return;
      }
      run->emit(Type::kNodeCompleted, {{Field::kNodeId, node},
                                       {Field::kPluginId, plugin},
                                       {Field::kToolId, tool},
                                       {Field::kStepIndex, step},
                                       {Field::kDurationMs, 1000.0 * static_cast<double>(step + 1)},
                                       {Field::kOutputKeys, std::span(keys)}});
    }
    run->emit(Type::kPipelineCompleted, {{Field::kDurationMs, 3001.0},
                                         {Field::kNodeCount, two},
                                         {Field::kOutputNodeIds, std::span(a)}});
  }

  /// All rows as JSON text, or the error.
  std::string query(const std::string& sql) {
    const auto views = open_views(store_, bad_);
    if (!views) return views.error().message;
    auto connection = views->database.connect();
    return rows_text(*connection, sql);
  }

  const log::StoreDirectory store_;
  std::vector<std::string> run_ids_;
  const std::shared_ptr<BadPlaces> bad_ = std::make_shared<BadPlaces>();
};

TEST_F(StoreTest, ShowsEveryCommittedEventWithTypedColumns) {
  EXPECT_EQ(query("SELECT count(*) FROM logs"), "[[10]]");
  EXPECT_EQ(
      query("SELECT run_seq, event_type, node_id, duration_ms, output_keys, predecessor_node_ids "
            "FROM logs "
            "WHERE event_type LIKE 'pipeline_node_%' AND node_id = 'b' ORDER BY run_seq"),
      R"([[4,"pipeline_node_started","b",null,null,["a"]],[5,"pipeline_node_completed","b",2000.0,["x","y"],null]])");
  EXPECT_EQ(query("SELECT DISTINCT typeof(timestamp), typeof(step_index), typeof(duration_ms), "
                  "typeof(output_keys), "
                  "typeof(attributes), typeof(cache_hit) FROM logs"),
            R"([["TIMESTAMP","BIGINT","DOUBLE","VARCHAR[]","JSON","BOOLEAN"]])");
}

TEST_F(StoreTest, GivesOneRunByItsId) {
  EXPECT_EQ(query("SELECT count(*), min(run_id) FROM weir_events(run_id := '" + run_ids_[1] + "')"),
            R"([[4,")" + run_ids_[1] + R"("]])");
  EXPECT_EQ(query("SELECT count(*) FROM weir_events(run_id := '')"), "[[0]]");
}

TEST_F(StoreTest, TakesNullForNoRunInParticular) {
  EXPECT_EQ(query("SELECT count(*) FROM weir_events(run_id := NULL)"), "[[10]]");
}

TEST_F(StoreTest, ShowsNoUncommittedLine) {
  const auto segments = store_.segments();
  std::string line;
  std::getline(std::ifstream(segments->front()), line);
  std::filesystem::remove(store_.seals());  // it was left by a crash, not closed
  std::ofstream(segments->front(), std::ios::app) << line << '\n';
  EXPECT_EQ(query("SELECT count(*) FROM logs"), "[[10]]");
  const auto verification = verify(store_);
  EXPECT_TRUE(verification->problems.empty());
  EXPECT_EQ(verification->read.torn_bytes, line.size() + 1);
}

TEST_F(StoreTest, FoldsRunsAndNodes) {
  EXPECT_EQ(query("SELECT state, duration_ms, node_count, completed_nodes, failed_node_id, "
                  "error_type FROM runs ORDER BY started_at"),
            R"([["completed",3001.0,2,2,null,null],["failed",8.0,2,0,"a","E"]])");
  EXPECT_EQ(query("SELECT node_id, state, duration_ms FROM nodes ORDER BY state, node_id"),
            R"([["a","completed",1000.0],["b","completed",2000.0],["a","failed",7.0]])");
}

TEST_F(StoreTest, LeavesOutWhatAProcessSaysOfItselfFromLogs) {
  {
    record::Recorder recorder(store_);
    const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                      .pipeline_type = "external",
                                      .pipeline_id = "weir",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
    run->emit(Type::kNotification, {{Field::kMessage, std::string_view("m")}});
  }
  EXPECT_EQ(query("SELECT (SELECT count(*) FROM logs), (SELECT count(*) FROM events)"),
            "[[10,11]]");
}

TEST_F(StoreTest, RunsEveryRecipeOfTheCookbook) {
  EXPECT_FALSE(cookbook().empty());
  for (const auto& recipe : cookbook()) {
    EXPECT_THAT(query(std::string(recipe.sql)), testing::StartsWith("[")) << recipe.name;
    EXPECT_THAT(std::string(recipe.question), testing::EndsWith("?")) << recipe.name;
  }
}

TEST_F(StoreTest, AnswersThePublishedQueriesAsTheyAreByHand) {
  // Two runs of player_tracking_v1: of the first, a took 1000 ms, b 2000 ms, all 3001 ms; the
  // second failed at a after 7 ms, all 8 ms.
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"SELECT count(*), min(run_seq), max(run_seq)", "[[4,1,4]]"},
      {"FROM", R"([["player_tracking_v1",3001.0,3001.0]])"},
      {"FROM", R"([["player_tracking_v1","b",2000.0],["player_tracking_v1","a",1000.0]])"},
      {"FROM", R"([["b","p","t",2000.0],["a","p","t",1000.0]])"},
      {"FROM", R"([["player_tracking_v1","a",1]])"},
      {"FROM", R"([["player_tracking_v1",1,1,0.5]])"},
      {"FROM", R"([["player_tracking_v1","a",0.0],["player_tracking_v1","b",1.0]])"},
      {"SELECT pipeline_id, approx_critical_path_ms", R"([["player_tracking_v1",3000.0]])"},
      {"FROM", R"([["p",1]])"},
      {"FROM", R"([["p","t",1]])"},
      {"FROM", R"([["player_tracking_v1",2]])"},
      {"FROM", R"([["player_tracking_v1","p",1500.0]])"},
      {"SELECT pipeline_id, failed_node_id, error_type, error_message",
       R"([["player_tracking_v1","a","E","m"]])"},
      {"SELECT * FROM", R"([["player_tracking_v1","a",2.0],["player_tracking_v1","b",2.0]])"},
      {"FROM", "[[null,3000.0]]"},
      {"SELECT avg_ms", "[[3001.0]]"},
      {"FROM", "[[11,1],[21,1]]"},
      {"FROM", R"([["player_tracking_v1",2]])"},
      {"FROM", "[[0,1000.0],[1,2000.0]]"},
      {"FROM", R"([["a",1000.0,7.0],["b",2000.0,null]])"},
      {"FROM", R"([["a",1000.0],["b",2000.0]])"},
      {"FROM", R"([["p",1500.0]])"},
      {"FROM", R"([["a",1]])"},
  };
  std::size_t published = 0;
  for (const auto& recipe : cookbook()) {
    if (recipe.number == 0) continue;
    ++published;
    const auto& [head, answer] = answers.at(static_cast<std::size_t>(recipe.number) - 1);
    auto sql = std::string(recipe.sql);
    sql = sql.substr(0, sql.rfind(';'));
    const auto columns = head.substr(0, head.find("FROM"));
    // The order of equal rows is DuckDB's; of others the recipe's.
    EXPECT_EQ(query(columns + " FROM (" + sql.substr(sql.find('\n')) + ")" +
                    (recipe.number == 14 ? " ORDER BY ALL" : "")),
              answer)
        << recipe.name;
  }
  EXPECT_EQ(published, answers.size());
}

TEST_F(StoreTest, TellsARecipeWhichRunItIsAskedAbout) {
  const auto views = open_views(store_, bad_);
  auto connection = views->database.connect();
  const auto recipes = cookbook();
  const auto recipe = std::ranges::find(recipes, 1, &Recipe::number);
  ASSERT_NE(recipe, recipes.end());
  for (std::size_t run = 0; run < run_ids_.size(); ++run) {
    ASSERT_TRUE(set_variable(*connection, "run_id", run_ids_[run]));
    auto rows = connection->query(std::string(recipe->sql));
    ASSERT_TRUE(rows);
    std::size_t events = 0;
    while (rows->next() != nullptr) ++events;
    EXPECT_EQ(events, run == 0 ? 6U : 4U);
  }
  EXPECT_FALSE(set_variable(*connection, "", "x"));
}

TEST_F(StoreTest, ShowsNodesAttemptsEdgesSpansAndTools) {
  EXPECT_EQ(query("SELECT from_node, to_node FROM edges"), R"([["a","b"]])");
  EXPECT_EQ(query("SELECT node_id, attempt, state FROM attempts ORDER BY ALL"),
            R"([["a",null,"completed"],["a",null,"failed"],["b",null,"completed"]])");
  EXPECT_EQ(
      query(
          "SELECT plugin_id, tool_id, calls, failures, round(avg_ms, 1), round(p95_ms) FROM tools"),
      R"([["p","t",3,1,1002.3,1900.0]])");
}

TEST_F(StoreTest, ShowsCallsAgentsArtifactsAndSignals) {
  record::Recorder recorder(store_);
  const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                    .pipeline_type = "dag",
                                    .pipeline_id = "p",
                                    .pipeline_version = "1",
                                    .trace_id = TraceId::make()});
  const std::string_view call = "c", provider = "openai", operation = "chat", agent = "writer",
                         success = "success", path = "report.md", hash = "ab",
                         approved = "approved", person = "ann", signal = "s", pause = "pause",
                         reason = "it is paused";
  run->emit(Type::kProviderCallStarted,
            {{Field::kProvider, provider}, {Field::kOperation, operation}, {Field::kCallId, call}});
  run->emit(Type::kProviderCallCompleted, {{Field::kDurationMs, 12.0},
                                           {Field::kProvider, provider},
                                           {Field::kOperation, operation},
                                           {Field::kCallId, call},
                                           {Field::kInputTokens, std::int64_t{3}},
                                           {Field::kOutputTokens, std::int64_t{5}}});
  run->emit(Type::kAgentRun, {{Field::kOutcome, success}, {Field::kAgentId, agent}});
  run->emit(Type::kArtifactWritten, {{Field::kArtifactPath, path}, {Field::kArtifactSha256, hash}});
  run->emit(
      Type::kArtifactReviewed,
      {{Field::kOutcome, approved}, {Field::kArtifactSha256, hash}, {Field::kActorId, person}});
  run->emit(Type::kSignalRejected,
            {{Field::kReason, reason}, {Field::kSignalId, signal}, {Field::kSignalType, pause}});
  // Another run is asked by the same id.
  const auto other = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                      .pipeline_type = "dag",
                                      .pipeline_id = "p",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
  other->emit(Type::kSignalAccepted, {{Field::kSignalId, signal}, {Field::kSignalType, pause}});
  ASSERT_TRUE(other->flush());
  const std::string_view node = "n", plugin = "p", tool = "t", open_span = "00f067aa0ba902b7",
                         span = "00f067aa0ba902b8", parent = "00f067aa0ba902b9", type = "E",
                         message = "m";
  const std::vector<std::string> none;
  for (const auto& id : {open_span, span}) {
    run->emit(Type::kNodeStarted, {{Field::kSpanId, id},
                                   {Field::kParentSpanId, parent},
                                   {Field::kNodeId, node},
                                   {Field::kPluginId, plugin},
                                   {Field::kToolId, tool},
                                   {Field::kStepIndex, std::int64_t{0}},
                                   {Field::kPredecessorNodeIds, std::span(none)}});
  }
  run->emit(Type::kNodeFailed, {{Field::kSpanId, span},
                                {Field::kParentSpanId, parent},
                                {Field::kNodeId, node},
                                {Field::kPluginId, plugin},
                                {Field::kToolId, tool},
                                {Field::kStepIndex, std::int64_t{0}},
                                {Field::kDurationMs, 4.0},
                                {Field::kErrorType, type},
                                {Field::kErrorMessage, message}});
  ASSERT_TRUE(run->flush());
  EXPECT_EQ(query("SELECT span_id, parent_span_id, name, ended_at IS NULL, duration_ms, status, "
                  "error_type FROM spans ORDER BY span_id"),
            R"([["00f067aa0ba902b7","00f067aa0ba902b9","n",true,null,null,null],)"
            R"(["00f067aa0ba902b8","00f067aa0ba902b9","n",false,4.0,"ERROR","E"]])");
  EXPECT_EQ(query("SELECT provider, operation, state, duration_ms, input_tokens, output_tokens "
                  "FROM providers"),
            R"([["openai","chat","completed",12.0,3,5]])");
  EXPECT_EQ(query("SELECT agent_id, outcome FROM agents"), R"([["writer","success"]])");
  EXPECT_EQ(query("SELECT artifact_path, review, reviewed_by FROM artifacts"),
            R"([["report.md","approved","ann"]])");
  EXPECT_EQ(query("SELECT signal_id, signal_type, state, reason FROM signals ORDER BY state"),
            R"([["s","pause","accepted",null],["s","pause","rejected","it is paused"]])");
  EXPECT_EQ(query("SELECT count(*) FROM metrics"), "[[0]]");
}

TEST_F(StoreTest, RunsQueriesOfOtherDialectsAsTheyArePublished) {
  EXPECT_EQ(query("SELECT AVG(CARDINALITY(output_keys)) FROM logs WHERE event_type = "
                  "'pipeline_node_completed'"),
            "[[2.0]]");
  EXPECT_EQ(
      query("SELECT width_bucket(duration_ms, 0, 2000, 20) AS bucket, COUNT(*) AS count FROM logs "
            "WHERE event_type = 'pipeline_node_completed' GROUP BY bucket ORDER BY bucket"),
      "[[11,1],[21,1]]");
  EXPECT_EQ(query("SELECT COUNT(DISTINCT run_id) FROM logs WHERE event_type = 'pipeline_started' "
                  "AND timestamp > NOW() - INTERVAL '1 day'"),
            "[[2]]");
  EXPECT_EQ(query("SELECT frame_index FROM logs LIMIT 1"), "[[null]]");
}

TEST_F(StoreTest, VerifiesAndCountsWhatIsThere) {
  const auto verification = verify(store_);
  EXPECT_THAT(verification->problems, testing::IsEmpty());
  EXPECT_EQ(verification->runs, 2U);
  EXPECT_EQ(verification->read.events, 10U);
}

TEST_F(StoreTest, FindsDamageHolesAndMissingArtifacts) {
  {
    record::Recorder recorder(store_);
    const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                      .pipeline_type = "dag",
                                      .pipeline_id = "p",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
    const auto hash = sha256("never put").text();
    run->emit(Type::kArtifactWritten, {{Field::kArtifactPath, std::string_view("x")},
                                       {Field::kArtifactSha256, std::string_view(hash)}});
  }
  EXPECT_THAT(verify(store_)->problems,
              testing::ElementsAre(HasSubstr("artifact " + sha256("never put").text())));

  // The commit of the first segment with its first event taken out, and a right checksum.
  const auto segments = store_.segments();
  auto reader = log::SegmentReader::open(segments->front());
  const auto commit = *reader->next_commit();
  std::string lines(commit->lines.substr(commit->lines.find('\n') + 1));
  auto writer = log::SegmentWriter::create(store_.log() / "ffffffffffffffffffffffff-000001.jsonl");
  ASSERT_TRUE(writer->commit(lines, commit->events - 1));
  std::filesystem::remove(segments->front());
  EXPECT_THAT(verify(store_)->problems, testing::Contains(HasSubstr("event 2 follows event 0")));
}

TEST_F(StoreTest, SaysWhereAnEventIsNotOne) {
  auto writer = log::SegmentWriter::create(store_.log() / "ffffffffffffffffffffffff-000001.jsonl");
  std::string lines = "{\"timestamp\":1}\n";
  ASSERT_TRUE(writer->commit(lines, 1));
  EXPECT_THAT(verify(store_)->problems,
              testing::ElementsAre(HasSubstr("ffffffffffffffffffffffff-000001.jsonl: at byte 0: "
                                             "field 'timestamp' is not a date-time")));
  EXPECT_EQ(query("SELECT count(*) FROM logs"), "[[10]]");
  ASSERT_EQ(bad_->all().size(), 1U);
  EXPECT_EQ(bad_->all()[0].file.filename(), "ffffffffffffffffffffffff-000001.jsonl");
  EXPECT_EQ(bad_->all()[0].offset, 0U);
}

}  // namespace
}  // namespace weir::store
