#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/id.h"

namespace weir::store {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Runs for hours.
constexpr const char* kEndless =
    "SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE x * y = 7";

class DatabaseTest : public testing::Test {
 protected:
  /// The first value of a query as JSON text, or the error.
  std::string value(const std::string& sql) {
    auto rows = connection_.query(sql);
    if (!rows) return rows.error().message;
    const auto* row = rows->next();
    return row == nullptr ? "no row" : json::to_text(row->front());
  }

  const Database database_ = *Database::open_in_memory();
  Connection connection_ = *database_.connect();
};

/// The working folder is an empty one while it lives.
class EmptyWorkingFolder {
 public:
  EmptyWorkingFolder() {
    std::filesystem::create_directory(folder_);
    std::filesystem::current_path(folder_);
  }
  EmptyWorkingFolder(const EmptyWorkingFolder&) = delete;
  EmptyWorkingFolder& operator=(const EmptyWorkingFolder&) = delete;
  ~EmptyWorkingFolder() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] bool is_empty() const { return std::filesystem::is_empty(folder_); }

 private:
  const std::filesystem::path before_ = std::filesystem::current_path();
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("empty-" + std::to_string(random_bits()));
};

/// Needs more than 100 MB.
constexpr const char* kLargeSort =
    "CREATE TABLE sorted AS SELECT md5(i::VARCHAR) AS x FROM range(2000000) r(i) ORDER BY x";

TEST(Database, PutsNothingAsideWhereNobodyHasSaid) {
  const EmptyWorkingFolder working_folder;
  const auto database = *Database::open_in_memory({.memory_bytes = std::uint64_t{40} << 20});
  const auto sorted = database.connect()->execute(kLargeSort);
  ASSERT_FALSE(sorted);
  EXPECT_THAT(sorted.error().message, StartsWith("Out of Memory Error"));
  EXPECT_TRUE(working_folder.is_empty());
}

TEST(Database, HasAMemoryLimitOfItsOwn) {
  const auto database = *Database::open_in_memory();
  auto connection = *database.connect();
  auto rows = connection.query("SELECT current_setting('memory_limit')");
  EXPECT_EQ(*rows->next()->front().string(), "768.0 MiB");
}

TEST_F(DatabaseTest, KeepsNothingOfTheFilesThatItHasRead) {
  EXPECT_EQ(value("SELECT current_setting('enable_external_file_cache')"), "false");
}

TEST(Database, SaysThatTheDiskIsFullWhereItMayPutNoMoreAside) {
  const auto folder =
      std::filesystem::path(testing::TempDir()) / ("spill-" + std::to_string(random_bits()));
  const auto database = *Database::open_in_memory({.memory_bytes = std::uint64_t{40} << 20,
                                                   .spill_folder = folder,
                                                   .spill_bytes = std::uint64_t{1} << 20});
  const auto sorted = database.connect()->execute(kLargeSort);
  ASSERT_FALSE(sorted);
  EXPECT_EQ(sorted.error().code, ErrorCode::kExhausted) << sorted.error().message;
}

TEST(Database, SaysWhatItCannotWrite) {
  const auto database = *Database::open_in_memory();
  auto connection = *database.connect();
  const auto full = connection.execute(
      "COPY (SELECT range FROM range(1000)) TO '/dev/full' "
      "(FORMAT csv, USE_TMP_FILE false)");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted) << full.error().message;
  const auto nowhere = connection.execute("COPY (SELECT 1) TO '/nowhere/x.parquet'");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(of_writing(nowhere.error()).code, ErrorCode::kIo) << nowhere.error().message;
}

TEST(Database, QuotesNamesAndStrings) {
  EXPECT_EQ(sql_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(sql_string("it's"), "'it''s'");
}

TEST_F(DatabaseTest, GivesTheRowsOfTheLastStatement) {
  EXPECT_EQ(value("CREATE TABLE t AS SELECT 7 AS a; SELECT 1; SELECT a FROM t"), "7");
  EXPECT_THAT(value("SELECT 1; SELECT nothing; SELECT 2"), HasSubstr("nothing"));
  EXPECT_EQ(value("-- nothing"), "no statement");
}

TEST_F(DatabaseTest, DescribesQueries) {
  const auto columns = *connection_.describe("SELECT 1 AS a, [1::HUGEINT] AS a -- the end");
  ASSERT_EQ(columns.size(), 2U);
  EXPECT_EQ(columns[1].name, "a");
  EXPECT_EQ(columns[1].type, "HUGEINT[]");
  const auto wrong = [&](const char* sql) { return connection_.describe(sql).error().message; };
  EXPECT_EQ(wrong("SELECT 1; SELECT 2"), "2 statements, one is expected");
  EXPECT_THAT(wrong("CREATE TABLE t (a INT)"), StartsWith("not a query"));
  EXPECT_THAT(wrong("SELECT\nnothing"), HasSubstr("LINE 2: nothing"));
  EXPECT_EQ(wrong("; SELECT 1"), "a semicolon before the query");
}

// DuckDB makes several statements of it: types of the values that it finds, and a query.
TEST_F(DatabaseTest, DescribesPivotsThatFindTheirColumns) {
  const std::string pivot = "PIVOT (SELECT 'x' AS name, 3 AS number) ON name USING max(number)";
  const auto names = [&](const std::string& sql) {
    std::string all;
    const auto columns = connection_.describe(sql);
    if (!columns) return columns.error().message;
    for (const auto& column : *columns) all += column.name + " " + column.type + ";";
    return all;
  };
  EXPECT_EQ(names(pivot), "x INTEGER;");
  EXPECT_EQ(names("SELECT 1 AS one, * FROM (" + pivot + ")"), "one INTEGER;x INTEGER;");
  EXPECT_EQ(names(pivot + "; SELECT 1"), "3 statements, one is expected");
  EXPECT_EQ(names("SELECT 1; " + pivot), "3 statements, one is expected");
  EXPECT_EQ(names("CREATE TYPE t AS ENUM ('x'); SELECT 1"), "2 statements, one is expected");
  EXPECT_EQ(names("; " + pivot), "a semicolon before the query");
  EXPECT_THAT(names("PIVOT nothing ON name USING max(number)"), HasSubstr("nothing"));
  EXPECT_THAT(names("CREATE TABLE t AS " + pivot), StartsWith("2 statements"));
}

// An interrupt ends the statement that runs when it comes. When none runs, the next one is the one.
TEST_F(DatabaseTest, LosesNoInterruptBetweenStatements) {
  connection_.interrupt();
  EXPECT_EQ(connection_.query(kEndless).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(connection_.execute("SELECT 1").error().code, ErrorCode::kCancelled);
}

TEST_F(DatabaseTest, LosesNoInterruptWheneverItComes) {
  for (int round = 0; round < 100; ++round) {
    auto connection = *database_.connect();
    std::atomic<bool> interrupted = false;
    std::jthread interrupter([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(37 * round));
      connection.interrupt();
      interrupted = true;
    });
    while (true) {
      const bool is_late = interrupted;
      const auto done = connection.execute("SELECT 1; SELECT 2");
      ASSERT_FALSE(done && is_late);
      if (done) continue;
      ASSERT_EQ(done.error().code, ErrorCode::kCancelled) << done.error().message;
      break;
    }
  }
}

struct Case {
  std::string sql;
  std::string json;
};

TEST_F(DatabaseTest, GivesNumbersOfEveryWidthAtTheirEnds) {
  const std::vector<Case> cases = {
      {"true", "true"},
      {"(-128)::TINYINT", "-128"},
      {"127::TINYINT", "127"},
      {"255::UTINYINT", "255"},
      {"(-32768)::SMALLINT", "-32768"},
      {"32767::SMALLINT", "32767"},
      {"65535::USMALLINT", "65535"},
      {"(-2147483648)::INTEGER", "-2147483648"},
      {"2147483647::INTEGER", "2147483647"},
      {"4294967295::UINTEGER", "4294967295"},
      {"(-9223372036854775808)::BIGINT", "-9223372036854775808"},
      {"9223372036854775807::BIGINT", "9223372036854775807"},
      {"18446744073709551615::UBIGINT", "18446744073709551615"},
      {"(-9223372036854775808)::HUGEINT", "-9223372036854775808"},
      {"18446744073709551615::HUGEINT", "18446744073709551615"},
      {"170141183460469231731687303715884105727::HUGEINT", "1.7014118346046923e+38"},
      {"(-170141183460469231731687303715884105728)::HUGEINT", "-1.7014118346046923e+38"},
      {"18446744073709551615::UHUGEINT", "18446744073709551615"},
      {"340282366920938463463374607431768211455::UHUGEINT", "3.402823669209385e+38"},
      {"0::BIGNUM", R"("0")"},
      {"(-1)::BIGNUM", R"("-1")"},
      {"'123456789012345678901234567890123456789012345'::BIGNUM",
       R"("123456789012345678901234567890123456789012345")"},
      {"'-123456789012345678901234567890123456789012345'::BIGNUM",
       R"("-123456789012345678901234567890123456789012345")"},
      {"(-99.99)::DECIMAL(4, 2)", "-99.99"},
      {"99999.9999::DECIMAL(9, 4)", "99999.9999"},
      {"(-1234567890.12345)::DECIMAL(18, 5)", "-1234567890.12345"},
      {"0.1::DECIMAL(38, 37)", "0.1"},
      {"99999999999999999999999999999999999999::DECIMAL(38, 0)", "1e+38"},
      {"9223372036854775807::DECIMAL(38, 0)", "9223372036854775807"},
      {"0.1::FLOAT", "0.1"},
      {"'3.4028235e38'::FLOAT", "3.4028235e+38"},
      {"'nan'::FLOAT", "null"},
      {"'-inf'::FLOAT", "null"},
      {"1.7976931348623157e308::DOUBLE", "1.7976931348623157e+308"},
      {"5e-324::DOUBLE", "5e-324"},
      {"'nan'::DOUBLE", "null"},
      {"'inf'::DOUBLE", "null"},
  };
  for (const auto& [sql, json] : cases) EXPECT_EQ(value("SELECT " + sql), json) << sql;
}

TEST_F(DatabaseTest, GivesTimesAsTextWithTheirExtremes) {
  const std::vector<Case> cases = {
      {"DATE '2024-02-29'", "2024-02-29"},
      {"DATE '9999-12-31'", "9999-12-31"},
      {"DATE '5881580-07-10'", "5881580-07-10"},
      {"'0044-03-15 (BC)'::DATE", "0044-03-15 (BC)"},
      {"'5877642-06-25 (BC)'::DATE", "5877642-06-25 (BC)"},
      {"'infinity'::DATE", "infinity"},
      {"'-infinity'::DATE", "-infinity"},
      {"TIME '00:00:00'", "00:00:00"},
      {"TIME '23:59:59.999999'", "23:59:59.999999"},
      {"TIME '24:00:00'", "24:00:00"},
      {"'12:00:00+02:30'::TIMETZ", "12:00:00+02:30"},
      {"'00:00:00+15:59:59'::TIMETZ", "00:00:00+15:59:59"},
      {"'24:00:00-15:59:59'::TIMETZ", "24:00:00-15:59:59"},
      {"TIMESTAMP '2001-02-03 04:05:06.789'", "2001-02-03 04:05:06.789000"},
      {"TIMESTAMP '0001-01-01 00:00:00'", "0001-01-01 00:00:00"},
      {"'290309-12-22 (BC) 00:00:00'::TIMESTAMP", "290309-12-22 (BC) 00:00:00"},
      {"'294247-01-10 04:00:54.775806'::TIMESTAMP", "294247-01-10 04:00:54.775806"},
      {"'infinity'::TIMESTAMP", "infinity"},
      {"'-infinity'::TIMESTAMP", "-infinity"},
      {"TIMESTAMPTZ '2001-02-03 04:05:06+02'", "2001-02-03 02:05:06+00"},
      {"'0044-03-15 (BC) 12:00:00+00'::TIMESTAMPTZ", "0044-03-15 (BC) 12:00:00+00"},
      {"'infinity'::TIMESTAMPTZ", "infinity"},
      {"'2001-02-03 04:05:06'::TIMESTAMP_S", "2001-02-03 04:05:06"},
      {"'-infinity'::TIMESTAMP_S", "-infinity"},
      {"'2001-02-03 04:05:06.789'::TIMESTAMP_MS", "2001-02-03 04:05:06.789"},
      {"'infinity'::TIMESTAMP_MS", "infinity"},
      {"'1677-09-22 00:00:00.123456789'::TIMESTAMP_NS", "1677-09-22 00:00:00.123456789"},
      {"'2262-04-11 23:47:16.854775806'::TIMESTAMP_NS", "2262-04-11 23:47:16.854775806"},
      {"'infinity'::TIMESTAMP_NS", "infinity"},
      {"INTERVAL 0 DAY", "00:00:00"},
      {"INTERVAL '14 months -3 days 25:00:00.000001'", "1 year 2 months -3 days 25:00:00.000001"},
      {"to_microseconds(-9223372036854775808)", "-2562047788:00:54.775808"},
      {"to_months(-2147483648)", "-178956970 years -8 months"},
  };
  for (const auto& [sql, text] : cases) {
    EXPECT_EQ(value("SELECT " + sql), json::to_text(json::Value(text))) << sql;
  }
}

TEST_F(DatabaseTest, GivesTextsAndNestedValues) {
  const std::vector<Case> cases = {
      {"NULL", "null"},
      {"'é \"x\"'", R"("é \"x\"")"},
      {"'a longer text that is not inlined'", R"("a longer text that is not inlined")"},
      {"''::BLOB", R"("\\x")"},
      {"'\\xAA\\x00a'::BLOB", R"("\\xaa0061")"},
      {"'0'::BIT", R"("0")"},
      {"'010111010101'::BIT", R"("010111010101")"},
      {"'01011101'::BIT", R"("01011101")"},
      {"'00000000-0000-0000-0000-000000000000'::UUID", R"("00000000-0000-0000-0000-000000000000")"},
      {"'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID", R"("ffffffff-ffff-ffff-ffff-ffffffffffff")"},
      {"'b'::ENUM('a', 'b')", R"("b")"},
      {R"('{"a": [1, null]}'::JSON)", R"({"a":[1,null]})"},
      {"[]", "[]"},
      {"[[], [NULL], NULL, [1]]", "[[],[null],null,[1]]"},
      {"array_value(1, NULL)", "[1,null]"},
      {"{'a': NULL, 'b c': [{'d': 1::HUGEINT}]}", R"({"a":null,"b c":[{"d":1}]})"},
      {"row(1, 'x')", R"([1,"x"])"},
      {"MAP {}", "[]"},
      {"MAP {1::HUGEINT: 'x', 2: NULL}", R"([{"key":1,"value":"x"},{"key":2,"value":null}])"},
      {"union_value(k := 1)", "1"},
      {"NULL::UNION(a INT, b TEXT)", "null"},
      {"['x'::UNION(a INT, b TEXT), 7::UNION(a INT, b TEXT)]", R"(["x",7])"},
      {"{'t': '01:00:00+02'::TIMETZ}", R"({"t":"01:00:00+02"})"},
  };
  for (const auto& [sql, json] : cases) EXPECT_EQ(value("SELECT " + sql), json) << sql;
}

TEST_F(DatabaseTest, GivesEnumsOfEverySize) {
  for (const auto* size : {"255", "256", "70000"}) {
    const auto type = std::string("e") + size;
    ASSERT_TRUE(connection_.execute("CREATE TYPE " + type +
                                    " AS ENUM (SELECT 'w' || i FROM range(" + size + ") r(i))"));
    EXPECT_EQ(value("SELECT max(x) FROM (SELECT unnest(enum_range(NULL::" + type +
                    ")) AS w, "
                    "w::" +
                    type + " AS x) WHERE w = 'w' || (" + size + " - 1)"),
              "\"w" + std::to_string(std::stoi(size) - 1) + "\"");
  }
}

// DuckDB makes a row of its smallest, one of its largest values, and one of NULLs, of every type.
TEST_F(DatabaseTest, ReadsEveryTypeThatDuckdbTests) {
  auto rows = connection_.query("FROM test_all_types()");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_GT(rows->columns().size(), 50U);
  std::size_t count = 0;
  while (const auto* row = rows->next()) {
    ++count;
    for (const auto& value : *row) EXPECT_EQ(value.is_null(), count == 3) << json::to_text(value);
  }
  EXPECT_EQ(count, 3U);
}

TEST_F(DatabaseTest, NamesTheColumnAndTheTypeThatItCannotRead) {
  EXPECT_EQ(value("SELECT 1 AS a, TIME_NS '12:00:00.123456789' AS t"),
            "column 't' has the type TIME_NS that cannot be read: CAST it to VARCHAR");
  EXPECT_EQ(value("SELECT [{'v': 1::VARIANT}] AS v"),
            "column 'v' has the type STRUCT(v VARIANT)[] that cannot be read: CAST it to VARCHAR");
  EXPECT_EQ(value("SELECT (TIME_NS '12:00:00.123456789')::VARCHAR"), R"("12:00:00.123456789")");
  const auto nested = std::string(120, '[') + "1" + std::string(120, ']');
  EXPECT_THAT(value("SELECT " + nested + " AS deep"), StartsWith("column 'deep' has the type INT"));
}

}  // namespace
}  // namespace weir::store
