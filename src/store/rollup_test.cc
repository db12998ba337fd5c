#include "store/rollup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <random>

#include "base/file.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/part_reader.h"
#include "store/query.h"
#include "store/rows_testing.h"
#include "store/session.h"
#include "store/verify.h"

namespace weir::store {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const CompactionOptions kCompactAtOnce{.keep = {}};

/// What both sides of a comparison say of each minute and series: everything that is summed.
constexpr const char* kSums = R"(
  sum(events), sum(timed), sum(duration_ms), min(duration_ms_min), max(duration_ms_max),
  weir_merge(durations)::VARCHAR, sum(cpu_ms), sum(rows), sum(input_tokens), sum(cost_usd),
  max(memory_bytes_max))";
/// The same of events, not by way of the rollups' own macro.
constexpr const char* kEventSums = R"(
  count(*), count(duration_ms), sum(duration_ms::DECIMAL(18, 6)), min(duration_ms), max(duration_ms),
  weir_histogram(duration_ms)::VARCHAR, sum(cpu_ms::DECIMAL(18, 6)), sum(rows), sum(input_tokens),
  sum(cost_usd::DECIMAL(18, 9)), max(memory_bytes))";

class RollupTest : public testing::Test {
 protected:
  /// A process that writes so many events, with what their times, names and figures may
  /// be; of three pipelines, or of one.
  void record(int events, int nodes = 7, int days = 2, const std::string& pipeline = {}) {
    log::LogWriter writer(store_, system_clock(), {.segment_bytes = std::uint64_t{1} << 24});
    std::string lines;
    const auto run = RunId::make(system_clock().now()).text();
    for (int i = 1; i <= events; ++i) {
      auto one = line(run, i, nodes, days);
      constexpr std::string_view kPipeline = R"("pipeline_id":"p)";
      if (!pipeline.empty()) one.replace(one.find(kPipeline) + kPipeline.size() - 1, 2, pipeline);
      lines += one + '\n';
    }
    ASSERT_TRUE(writer.commit(lines, static_cast<std::uint32_t>(events)));
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }

  std::string line(const std::string& run, int seq, int nodes, int days) {
    const auto below = [&](int count) {
      return static_cast<int>(chance_() % static_cast<unsigned>(count));
    };
    static constexpr const char* kTypes[] = {"pipeline_node_started", "pipeline_node_completed",
                                             "pipeline_node_failed", "provider_call_completed"};
    char text[1000];
    std::snprintf(
        text, sizeof text,
        R"({"timestamp":"2026-01-%02dT%02d:%02d:30.000001Z","event_type":"%s","level":"INFO",)"
        R"("pipeline_type":"dag","pipeline_id":"p%d","pipeline_version":"1","run_id":"%s",)"
        R"("run_seq":%d%s,"node_id":"n%d[%d]","plugin_id":"x","tool_id":"t","step_index":0,)"
        R"("predecessor_node_ids":[]%s,"output_keys":[],"cpu_ms":%d.123456789,)"
        R"("error_type":"E%d","error_message":"m","rows":%d,"memory_bytes":%d,"provider":"a",)"
        R"("operation":"chat","input_tokens":%d,"cost_usd":0.00%d})",
        1 + below(days), below(3), below(3), kTypes[below(4)], below(3), run.c_str(), seq,
        below(3) == 0 ? R"(,"tenant_id":"acme")" : "", below(nodes), below(2),
        (R"(,"duration_ms":)" + std::to_string(below(1'000'000'000)) + "." +
         std::to_string(below(100)))
            .c_str(),
        below(100), below(3), below(5), below(9), below(1000), below(100));
    return text;
  }

  CompactionReport compact() {
    auto done = store::compact(store_, kCompactAtOnce);
    EXPECT_TRUE(done) << done.error().message;
    return done ? *std::move(done) : CompactionReport();
  }

  Connection open() {
    const auto views = open_views(store_, std::make_shared<BadPlaces>(),
                                  {.events = {.rollups = EventTableOptions::Rollups::kRead}});
    EXPECT_TRUE(views) << views.error().message;
    return *views->database.connect();
  }

  /// All rows as JSON text, or the error.
  std::string query(const std::string& sql) {
    auto connection = open();
    return query(connection, sql);
  }
  static std::string query(Connection& connection, const std::string& sql) {
    return rows_text(connection, sql);
  }

  /// Both views against the events themselves.
  void expect_equal_to_events() {
    auto connection = open();
    for (const char* unit : {"minute", "hour"}) {
      const auto keys =
          std::string("tenant_id, pipeline_id, event_type, tool_id, provider, error_type") +
          (unit == std::string_view("hour") ? ", node_id" : "");
      const auto rollups =
          query(connection, std::string("SELECT ") + unit + ", " + keys + ", " + kSums +
                                " FROM rollup_" + unit + "s GROUP BY ALL ORDER BY ALL");
      const auto events = query(
          std::string("SELECT date_trunc('") + unit + "', timestamp), " + keys + ", " + kEventSums +
          " FROM (SELECT * REPLACE (split_part(node_id, '[', 1) AS node_id) FROM events) "
          "GROUP BY ALL ORDER BY ALL");
      EXPECT_TRUE(rollups == events) << rollups.substr(0, 500) << "\n" << events.substr(0, 500);
    }
  }

  std::vector<Rollup> rollups() { return *read_rollup_index(store_); }
  std::filesystem::path file(const Rollup& rollup, RollupLevel level) {
    return rollup_path(store_, rollup, level);
  }

  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "store-" + std::to_string(random_bits()));
  std::mt19937 chance_{11};
};

TEST_F(RollupTest, AreEmptyInAnEmptyStore) {
  EXPECT_EQ(query("SELECT count(*) FROM rollup_minutes"), "[[0]]");
  EXPECT_EQ(query("SELECT count(*) FROM rollup_hours"), "[[0]]");
}

TEST_F(RollupTest, AreWhatTheEventsSumUpToAtEveryMoment) {
  for (int batch = 0; batch < 9; ++batch) {
    record(20 + 5 * batch);  // into the same hours each time
    expect_equal_to_events();
    if (batch % 4 == 3) record(10);
    EXPECT_EQ(compact().rollups.files, 1U);
    expect_equal_to_events();
  }
  EXPECT_LT(rollups().size(), 8U);  // some were merged
  EXPECT_EQ(rollups().back().batches.last, log::read_manifest(store_)->number());
  std::uint64_t events = 0;
  for (const auto& rollup : rollups()) events += rollup.events;
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[" + std::to_string(events) + "]]");
  // Of files that are not named any more none is left.
  EXPECT_THAT(*list_directory(rollup_folder(store_) / "minutes"), SizeIs(rollups().size()));
}

TEST_F(RollupTest, AreRightWithoutTheirFilesAndMadeAgain) {
  for (int batch = 0; batch < 3; ++batch) {
    record(100);
    compact();
  }
  const auto made = rollups();
  ASSERT_THAT(made, SizeIs(3));
  // As after a crash between the parts and the rollup.
  std::filesystem::remove(file(made[1], RollupLevel::kHours));
  expect_equal_to_events();
  EXPECT_EQ(compact().rollups.events, 100U);
  EXPECT_EQ(rollups(), made);
  std::filesystem::remove_all(rollup_folder(store_));
  expect_equal_to_events();
  EXPECT_EQ(compact().rollups.events, 300U);
  expect_equal_to_events();
  EXPECT_THAT(rollups(), SizeIs(1));
}

TEST_F(RollupTest, AreNeverTrustedWhenDamaged) {
  record(100);
  compact();
  record(100);
  compact();
  const auto path = file(rollups()[0], RollupLevel::kMinutes);
  auto bytes = *read_file(path, 1 << 24);
  for (const std::size_t place : {std::size_t{10}, bytes.size() / 2, bytes.size() - 1}) {
    auto changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    std::ofstream(path) << changed;
    expect_equal_to_events();
    EXPECT_THAT(verify(store_)->problems,
                ElementsAre(HasSubstr(path.string() + ": not as it was written")));
    const auto done = compact();
    ASSERT_THAT(done.rollups.damaged, SizeIs(1));
    EXPECT_EQ(done.rollups.damaged[0].file, path);
    EXPECT_EQ(*read_file(path, 1 << 24), bytes);
    EXPECT_THAT(verify(store_)->problems, IsEmpty());
  }
  std::ofstream(rollup_index_path(store_), std::ios::app) << "x";
  expect_equal_to_events();
  EXPECT_THAT(verify(store_)->problems, ElementsAre(HasSubstr("index.json")));
  EXPECT_THAT(compact().rollups.damaged, SizeIs(1));
  expect_equal_to_events();
}

TEST_F(RollupTest, AreTheSameAfterARebuild) {
  for (int batch = 0; batch < 3; ++batch) {
    record(100);
    compact();
  }
  record(30);
  const auto done = rebuild_rollups(store_, {.keep = {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->events, 300U);
  EXPECT_EQ(done->kept_files, 0U);
  EXPECT_THAT(rollups(), SizeIs(1));
  EXPECT_THAT(*list_directory(rollup_folder(store_) / "minutes"), SizeIs(1));
  expect_equal_to_events();
}

TEST_F(RollupTest, AreOpenedForQuestionsAboutThemAlone) {
  record(100);
  compact();
  const auto bad = std::make_shared<BadPlaces>();
  const auto is_rollup = [&](const std::filesystem::path& file) {
    return file.string().contains("rollups/");
  };
  const auto views = open_views(store_, bad);
  EXPECT_TRUE(std::ranges::none_of(views->files, is_rollup));
  auto connection = *views->database.connect();
  EXPECT_EQ(query(connection, "SELECT sum(events)::BIGINT FROM rollup_hours"), "[[100]]");

  auto session = *Session::open(store_, {}, bad);
  const auto asked = [&](const std::string& sql) {
    auto answer = session.ask(sql);
    const auto row = answer ? answer->next() : std::unexpected(answer.error());
    return row && *row != nullptr ? json::to_text((*row)->front()) : row.error().message;
  };
  EXPECT_EQ(asked("SELECT count(*) FROM events"), "100");
  // They still know what is not there any more.
  std::filesystem::remove_all(store_.parts());
  EXPECT_EQ(asked("SELECT sum(events)::BIGINT FROM Rollup_Hours"), "100");
}

TEST_F(RollupTest, OutliveTheEventsAlsoInARebuild) {
  record(100);
  compact();
  record(50);
  compact();
  // As retention leaves it: the batch is there, its parts are not.
  auto text = *read_file(store_.manifest(), 1 << 24);
  const auto manifest = *log::read_manifest(store_);
  log::Manifest rest;
  std::vector<log::Part> second;
  for (const auto& part : manifest.parts()) {
    if (part.batch == 2) second.push_back(part);
  }
  rest = rest.with(manifest.batches()[0], {}).with(manifest.batches()[1], second);
  std::ofstream(store_.manifest()) << rest.text() << "\n";
  EXPECT_EQ(query("SELECT count(*) FROM events"), "[[50]]");
  EXPECT_EQ(query("SELECT sum(events)::BIGINT FROM rollup_hours"), "[[150]]");

  const auto done = rebuild_rollups(store_, {.keep = {}});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->events, 50U);
  EXPECT_EQ(done->kept_files, 1U);
  EXPECT_EQ(done->kept_events, 100U);
  EXPECT_EQ(query("SELECT sum(events)::BIGINT FROM rollup_minutes"), "[[150]]");
}

TEST_F(RollupTest, StayInARebuildWhereAPartCannotBeRead) {
  record(100);
  compact();
  record(50);
  compact();
  const auto manifest = *log::read_manifest(store_);
  const auto path = store_.parts() / manifest.parts()[0].file;
  const auto bytes = *read_file(path, 1 << 24);
  // Too short, which is seen at once; and with other bytes in it, which is seen when it is read.
  auto changed = bytes;
  changed.replace(4, 300, std::string(300, '!'));
  for (const auto& damaged : {bytes.substr(0, 10), changed}) {
    std::ofstream(path) << damaged;
    const auto done = rebuild_rollups(store_, {.keep = {}});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_GE(done->kept_files, 1U);
    EXPECT_FALSE(done->unread.empty());
    std::uint64_t events = 0;
    for (const auto& rollup : rollups()) events += rollup.events;
    EXPECT_EQ(events, 150U);
  }
}

TEST_F(RollupTest, ForgetWhatIsBeforeADate) {
  record(200, 7, 4);
  compact();
  record(100, 7, 4);
  compact();
  ASSERT_TRUE(remove_rollups_before(store_, "2026-01-03", {.keep = {}}));
  for (const std::string view : {"rollup_minutes", "rollup_hours"}) {
    EXPECT_EQ(query("SELECT (SELECT sum(events)::BIGINT FROM " + view +
                    ") - (SELECT count(*) FROM events WHERE timestamp >= '2026-01-03')"),
              "[[0]]");
  }
  EXPECT_EQ(query("SELECT min(minute) >= TIMESTAMP '2026-01-03' FROM rollup_minutes"), "[[true]]");
  // They are not made again.
  EXPECT_EQ(compact().rollups.events, 0U);
  EXPECT_EQ(query("SELECT count(*) FROM rollup_hours WHERE hour < '2026-01-03'"), "[[0]]");
  ASSERT_TRUE(remove_rollups_before(store_, "2027-01-01", {.keep = {}}));
  EXPECT_EQ(query("SELECT count(*) FROM rollup_hours"), "[[0]]");
  EXPECT_THAT(verify(store_)->problems, IsEmpty());
}

TEST_F(RollupTest, NameSoManySeriesAndCountTheRest) {
  record(9000, 3000);
  compact();
  EXPECT_EQ(query("SELECT count(DISTINCT (pipeline_id, event_type, node_id, error_type)) "
                  "BETWEEN 2000 AND 2000 + 12 * 4 FROM rollup_hours WHERE tenant_id IS NULL"),
            "[[true]]");
  EXPECT_EQ(query("SELECT sum(events)::BIGINT, bool_or(node_id = 'other') FROM rollup_hours"),
            "[[9000,true]]");
  // By pipeline and type nothing is lost.
  EXPECT_EQ(query("SELECT pipeline_id, event_type, sum(duration_ms) FROM rollup_hours GROUP BY ALL "
                  "ORDER BY ALL"),
            query("SELECT pipeline_id, event_type, sum(duration_ms::DECIMAL(18, 6)) FROM events "
                  "GROUP BY ALL ORDER BY ALL"));
}

TEST_F(RollupTest, KeepTheNamesOfASmallPipelineBesideAHugeOne) {
  const auto of_small =
      "SELECT node_id, event_type, error_type, sum(events)::BIGINT, sum(duration_ms) "
      "FROM rollup_hours WHERE pipeline_id = 'small' GROUP BY ALL ORDER BY ALL";
  record(9000, 3000);
  record(100, 8, 2, "small");
  const auto before = query(of_small);
  EXPECT_THAT(before, HasSubstr("n7"));
  EXPECT_THAT(before, Not(HasSubstr("other")));
  compact();
  EXPECT_EQ(query(of_small), before);
}

TEST_F(RollupTest, GiveQuantilesWithinOnePercent) {
  record(3000);
  compact();
  record(500);
  EXPECT_EQ(query(R"(
    SELECT count(*), bool_and(found BETWEEN 0.99 * exact AND 1.01 * exact) FROM (
      SELECT event_type, pipeline_id, q, weir_quantile(weir_merge(durations), q) AS found
      FROM rollup_hours, (VALUES (0.5), (0.95), (0.99)) AS of(q) GROUP BY event_type, pipeline_id, q)
    JOIN (
      SELECT event_type, pipeline_id, q,
             list_sort(list(duration_ms))[1 + floor(q * (count(*) - 1))::BIGINT] AS exact
      FROM events, (VALUES (0.5), (0.95), (0.99)) AS of(q) GROUP BY event_type, pipeline_id, q)
    USING (event_type, pipeline_id, q))"),
            "[[36,true]]");
}

TEST_F(RollupTest, AreReadForOneTenantWithoutAnyFileOfOthers) {
  record(300);
  compact();
  const auto database = *Database::open_in_memory();
  auto connection = *database.connect();
  // A tail of that tenant alone is its business; here it is empty.
  const auto part = store_.parts() / log::read_manifest(store_)->parts()[0].file;
  ASSERT_TRUE(connection.execute("CREATE MACRO weir_tail() AS TABLE SELECT * FROM " +
                                 parts_sql({part}) + " WHERE false"));
  const auto files =
      add_rollup_tables(connection, store_, *log::read_manifest(store_), {.tenant = "acme"});
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_THAT(*files, IsEmpty());
  ASSERT_TRUE(connection.execute("CREATE MACRO weir_events() AS TABLE FROM weir_tail()"));
  ASSERT_TRUE(create_views(connection));
  const auto events = query("SELECT count(*) FROM events WHERE tenant_id = 'acme'");
  EXPECT_EQ(query(connection, "SELECT sum(events)::BIGINT FROM rollup_minutes"), events);
  EXPECT_EQ(query(connection, "SELECT sum(events)::BIGINT FROM rollup_hours"), events);
}

TEST_F(RollupTest, LeaveABatchThatCannotBeReadToTheViews) {
  record(100);
  compact();
  record(40);
  compact();
  std::filesystem::remove_all(rollup_folder(store_));
  const auto manifest = *log::read_manifest(store_);
  for (const auto& part : manifest.parts()) {
    if (part.batch == 1) std::filesystem::resize_file(store_.parts() / part.file, 10);
  }
  const auto done = compact();
  EXPECT_THAT(done.rollups.unread,
              Contains(testing::Field(&BadPlace::reason, HasSubstr("10 bytes"))));
  ASSERT_THAT(rollups(), SizeIs(1));
  EXPECT_EQ(rollups()[0].events, 40U);
  expect_equal_to_events();
}

}  // namespace
}  // namespace weir::store
