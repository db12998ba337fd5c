#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "base/id.h"
#include "plugins/plugins.h"

namespace weir::plugins {
namespace {

class SqlQueryTest : public testing::Test {
 protected:
  SqlQueryTest()
      : folder_(testing::TempDir() + "sql-" + std::to_string(random_bits())),
        artifacts_(folder_ / "artifacts"),
        query_(make_sql_query(artifacts_)) {
    std::filesystem::create_directories(folder_ / "artifacts");
  }

  std::expected<tool::Output, tool::Failure> run(const std::string& sql,
                                                 const json::Object& payload = {},
                                                 int inline_rows = 100, std::stop_token stop = {}) {
    json::Object with;
    with.set("query", sql);
    if (inline_rows >= 0) with.set("inline_rows", inline_rows);
    return query_->run(
        {.run_id = "r",
         .node_id = "n",
         .payload = payload,
         .with = with,
         .folder = folder_,
         .stop = std::move(stop),
         .log = {},
         .kept = [this](const tool::KeptArtifact& artifact) { kept_.push_back(artifact); }});
  }

  /// The rows of a query as JSON text.
  std::string data(const std::string& sql, const json::Object& payload = {}) {
    const auto output = run(sql, payload);
    if (!output) return output.error().type + ": " + output.error().message;
    return json::to_text(*output->payload.find("n")->object()->find("data"));
  }

  const std::filesystem::path folder_;
  const artifact::ArtifactStore artifacts_;
  const std::unique_ptr<tool::Tool> query_;
  std::vector<tool::KeptArtifact> kept_;
};

TEST_F(SqlQueryTest, DescribesItsResultAndKeepsItAsParquet) {
  const auto output = run("SELECT 1 AS a, 'x' AS b;", {}, -1);
  ASSERT_TRUE(output) << output.error().message;
  ASSERT_EQ(kept_.size(), 1U);
  EXPECT_EQ(kept_[0].name, "n.parquet");
  EXPECT_EQ(kept_[0].rows, 1);
  EXPECT_EQ(json::to_text(output->payload),
            R"({"n":{"artifact":")" + kept_[0].hash.text() + R"(","columns":["a","b"],"rows":1}})");
  EXPECT_EQ(artifacts_.get(kept_[0].hash, 1 << 20)->substr(0, 4), "PAR1");
}

TEST_F(SqlQueryTest, SeesEarlierResultsAsViews) {
  const auto first = run("SELECT i FROM range(10) t(i)");
  auto payload = first->payload;
  payload.set("other", 7);
  EXPECT_EQ(data("SELECT sum(i)::INT AS s FROM n -- the end", payload), R"([{"s":45}])");
}

TEST_F(SqlQueryTest, SaysTheSchemaOfItsResultAndOfTheEarlierResultsThatItReads) {
  const auto first = run("SELECT i, i::VARCHAR AS s FROM range(10) t(i)");
  ASSERT_TRUE(first);
  EXPECT_EQ(json::to_text(first->lineage),
            R"({"schema_out":[{"name":"i","type":"BIGINT"},{"name":"s","type":"VARCHAR"}]})");
  auto payload = first->payload;
  payload.set("unread", *payload.find("n"));
  payload.set("other", 7);
  const auto second =
      run("WITH c AS (SELECT * FROM N WHERE i > 2) SELECT count(*) FROM c", payload);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->usage.rows, 1);
  EXPECT_EQ(json::to_text(second->lineage),
            R"({"rows_in":{"n":10},"schema_in":{"n":[{"name":"i","type":"BIGINT"},)"
            R"({"name":"s","type":"VARCHAR"}]},)"
            R"x("schema_out":[{"name":"count_star()","type":"BIGINT"}]})x");
}

TEST_F(SqlQueryTest, SaysWhatTheQueryTook) {
  const auto little = run("SELECT 1 AS i");
  const auto much = run("SELECT count(DISTINCT hash(i)) AS n FROM range(1000000) t(i)");
  ASSERT_TRUE(little);
  ASSERT_TRUE(much);
  EXPECT_GT(much->usage.cpu_ms.value_or(0), 1);
  EXPECT_LT(little->usage.cpu_ms.value_or(-1), *much->usage.cpu_ms / 2);
  EXPECT_GE(little->usage.cpu_ms.value_or(-1), 0);
}

TEST_F(SqlQueryTest, ReadsFilesBesideThePipeline) {
  std::ofstream(folder_ / "in.csv") << "a,b\n1,x\n";
  EXPECT_EQ(data("SELECT * FROM 'in.csv'"), R"([{"a":1,"b":"x"}])");
}

TEST_F(SqlQueryTest, GivesEveryTypeAsJson) {
  EXPECT_EQ(
      data("SELECT true AS b, 1.5::DECIMAL(9,2) AS d, sum(i) AS h, 1e300 AS x, NULL AS n, DATE "
           "'2024-02-29' AS day,"
           " TIMESTAMP '2024-02-29 01:02:03.5' AS t, [1, NULL] AS l, {'k': 'v'} AS s, INTERVAL "
           "'25' HOUR AS i,"
           " uuid '00112233-4455-6677-8899-aabbccddeeff' AS u, '\\xC3\\xA9'::BLOB AS bytes FROM "
           "range(3) "
           "r(i)"),
      R"([{"b":true,"d":1.5,"h":3,"x":1e+300,"n":null,"day":"2024-02-29","t":"2024-02-29 01:02:03.500000",)"
      R"("l":[1,null],"s":{"k":"v"},"i":"25:00:00","u":"00112233-4455-6677-8899-aabbccddeeff","bytes":"\\xc3a9"}])");
}

// As doubles, sums would lose their last digits.
TEST_F(SqlQueryTest, KeepsWideNumbersWhereverTheyAre) {
  EXPECT_EQ(data("SELECT sum(x), sum(x), 1 AS a, 2 AS A FROM (VALUES (9007199254740993)) t(x)"),
            R"x([{"sum(x)":9007199254740993,"sum(x)_1":9007199254740993,"a":1,"A_1":2}])x");
  EXPECT_EQ(
      data("SELECT {'s': sum(x), 'HUGEINT': [sum(x)]} AS s, MAP {sum(x): sum(x)} AS m, "
           "340282366920938463463::UHUGEINT AS u FROM (VALUES (9007199254740993)) t(x)"),
      R"([{"s":{"s":9007199254740993,"HUGEINT":[9007199254740993]},)"
      R"("m":[{"key":9007199254740993,"value":9007199254740993}],"u":340282366920938487808.0}])");
  EXPECT_EQ(data("SELECT NULL::HUGEINT AS a, [NULL::HUGEINT] AS b"), R"([{"a":null,"b":[null]}])");
  const auto first = run("SELECT 12345678901234567890123456789::HUGEINT AS x");
  EXPECT_EQ(data("SELECT (x + 1)::VARCHAR AS y FROM n", first->payload),
            R"([{"y":"12345678901234567890123456790"}])");
}

TEST_F(SqlQueryTest, NamesTheColumnThatParquetCannotHold) {
  EXPECT_EQ(data("SELECT 1 AS a, 170141183460469231731687303715884105727 AS \"it's\""),
            "SqlError: node 'n': Invalid Input Error: column 'it's': Parquet cannot hold "
            "170141183460469231731687303715884105727, it is no DECIMAL(38, 0)");
  EXPECT_THAT(
      data("SELECT [1, -170141183460469231731687303715884105728] AS l"),
      testing::HasSubstr("column 'l': Parquet cannot hold [1, -17014118346046923173168730"));
  EXPECT_EQ(data("SELECT union_value(k := 1) AS u"),
            "SqlError: node 'n': column 'u': Parquet cannot hold a UNION: CAST it to VARCHAR");
  EXPECT_THAT(data("SELECT row(1::HUGEINT, 2) AS r"),
              testing::HasSubstr("column 'r': Parquet cannot hold a STRUCT(DECIMAL(38, 0), INTEGER)"
                                 ": give its fields names, or CAST it to VARCHAR"));
}

TEST_F(SqlQueryTest, KeepsTimesInParquet) {
  EXPECT_EQ(data("SELECT '12:00:00+02:30'::TIMETZ AS tz, 'infinity'::TIMESTAMP_MS AS ms, "
                 "'-infinity'::TIMESTAMP_S AS s, '0044-03-15 (BC)'::DATE AS bc, "
                 "INTERVAL '-1 day 0.000001 seconds' AS i"),
            R"x([{"tz":"12:00:00+02:30","ms":"infinity","s":"-infinity","bc":"0044-03-15 (BC)",)x"
            R"x("i":"-1 day 00:00:00.000001"}])x");
}

// Of the values of every type that DuckDB tests itself with: one of three rows is all NULL.
TEST_F(SqlQueryTest, KeepsEveryTypeOrNamesItsColumn) {
  EXPECT_THAT(data("FROM test_all_types()"), testing::HasSubstr("column 'union': Parquet cannot"));
  EXPECT_THAT(data("SELECT * EXCLUDE (\"union\") FROM test_all_types()"),
              testing::HasSubstr("column 'hugeint': Parquet cannot hold -170141183460469231731"));
  EXPECT_THAT(data("SELECT * EXCLUDE (\"union\", hugeint, uhugeint) FROM test_all_types()"),
              testing::StartsWith("[{"));
}

TEST_F(SqlQueryTest, KeepsTheOrderOfTheQuery) {
  EXPECT_EQ(data("SELECT i FROM range(3) t(i) ORDER BY i DESC"), R"([{"i":2},{"i":1},{"i":0}])");
}

TEST_F(SqlQueryTest, PivotsByTheValuesThatItFinds) {
  const std::string sales =
      "(SELECT * FROM (VALUES ('a', 2020, 1), ('a', 2021, 2), ('b', 2020, 5)) t(city, year, n))";
  EXPECT_EQ(data("PIVOT " + sales + " ON year USING max(n) ORDER BY city;"),
            R"([{"city":"a","2020":1,"2021":2},{"city":"b","2020":5,"2021":null}])");
  // Sums are of a type that Parquet does not have.
  EXPECT_EQ(data("FROM (PIVOT " + sales + " ON year USING sum(n)) ORDER BY city"),
            R"([{"city":"a","2020":1,"2021":2},{"city":"b","2020":5,"2021":null}])");
}

TEST_F(SqlQueryTest, FailsAndNamesTheNode) {
  EXPECT_THAT(data("SELECT nothing"), testing::StartsWith("SqlError: node 'n': "));
  EXPECT_THAT(data("SELECT * FROM range(101)"),
              testing::StartsWith("TooManyRows: node 'n': the query gave 101"));
  EXPECT_THAT(data(""), testing::StartsWith("SqlError: node 'n': "));
  json::Object payload;
  payload.set("gone", *json::parse(R"({"artifact":")" + sha256("x").text() +
                                   R"(","columns":[],"rows":1})"));
  EXPECT_THAT(data("SELECT 1", payload),
              testing::StartsWith("ArtifactMissing: node 'n': the result 'gone'"));
}

TEST_F(SqlQueryTest, LeavesNothingBehindWhenItFails) {
  EXPECT_FALSE(run("SELECT * FROM range(101)"));
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_ / "artifacts" / "tmp")) {
    EXPECT_FALSE(entry.is_regular_file()) << entry.path();
  }
}

TEST_F(SqlQueryTest, StopsWhenAsked) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(
        std::chrono::milliseconds(200));  // a query that runs: nothing to wait for
    stop.request_stop();
  });
  const auto output =
      run("SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE x * y = 7", {}, -1,
          stop.get_token());
  EXPECT_EQ(output.error().type, "Cancelled");
}

// A stop before the query runs is not lost: this one would run for hours.
TEST_F(SqlQueryTest, StopsBeforeItBegins) {
  std::stop_source stop;
  stop.request_stop();
  const auto output =
      run("SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE x * y = 7", {}, -1,
          stop.get_token());
  EXPECT_EQ(output.error().type, "Cancelled");
}

}  // namespace
}  // namespace weir::plugins
