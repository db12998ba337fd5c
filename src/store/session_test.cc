#include "store/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "store/compaction.h"
#include "store/query.h"
#include "store/rows_testing.h"

namespace weir::store {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr const char* kEndlessQuestion =
    "SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE x * y = 7";
constexpr const char* kMessages = "SELECT message FROM events ORDER BY message";

/// Two parts, of the tenants `a` and `b`, and a line of each that is in no part.
class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    write({line("a", "a1"), line("b", "b1")});
    EXPECT_TRUE(compact(store_, {.keep = {}}));
    write({line("a", "a2"), line("b", "b2")});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static std::string line(const std::string& tenant, const std::string& message) {
    return R"({"timestamp":"2026-11-28T23:59:59.000001Z","event_type":"log","level":"INFO",)"
           R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
           RunId::make(system_clock().now()).text() + R"(","run_seq":1,"tenant_id":")" + tenant +
           R"(","message":")" + message + "\"}";
  }

  void write(const std::vector<std::string>& lines) {
    log::LogWriter writer(store_, system_clock(), {});
    for (const auto& line : lines) {
      auto text = line + "\n";
      ASSERT_TRUE(writer.commit(text, 1));
    }
    writer.close();
    ASSERT_TRUE(log::seal_finished(store_));
  }

  Session open(SessionOptions options = {}) {
    auto session = Session::open(store_, std::move(options), bad_);
    EXPECT_TRUE(session) << session.error().message;
    return *std::move(session);
  }

  /// All rows as JSON text, or the error; asked twice, where that may help.
  static std::string ask(Session& session, const std::string& sql,
                         const std::stop_token& stop = {}) {
    auto rows = rows_of(session, sql, stop);
    if (!rows && session.recover(rows.error(), stop).value_or(false)) {
      rows = rows_of(session, sql, stop);
    }
    return rows ? *rows : rows.error().message;
  }
  static Result<std::string> rows_of(Session& session, const std::string& sql,
                                     const std::stop_token& stop) {
    WEIR_TRY(auto answer, session.ask(sql, stop));
    json::Array all;
    while (true) {
      WEIR_TRY(const auto* row, answer.next());
      if (row == nullptr) return json::to_text(all);
      all.emplace_back(json::Array(row->begin(), row->end()));
    }
  }
  std::string ask(const std::string& sql, SessionOptions options = {}) {
    auto session = open(std::move(options));
    return ask(session, sql);
  }

  std::filesystem::path part(const std::string& tenant) {
    const auto manifest = *log::read_manifest(store_);
    for (const auto& part : manifest.parts()) {
      if (part.tenant == tenant) return store_.parts() / part.file;
    }
    return {};
  }

  static std::string bytes_of(const std::filesystem::path& path) {
    return *read_file(path, std::uint64_t{1} << 24);
  }
  static void put(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::vector<std::string> said() const {
    std::vector<std::string> reasons;
    for (const auto& place : bad_->all()) {
      reasons.push_back(place.file.parent_path().filename().string() + ": " + place.reason);
    }
    return reasons;
  }

  const std::filesystem::path folder_ =
      testing::TempDir() + "session-" + std::to_string(random_bits());
  const log::StoreDirectory store_ = *log::StoreDirectory::create(folder_ / "store");
  const std::shared_ptr<BadPlaces> bad_ = std::make_shared<BadPlaces>();
};

TEST_F(SessionTest, AnswersEveryKindOfQuestion) {
  auto session = open({.variables = {{"who", "a"}}});
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b1"],["b2"]])");
  EXPECT_EQ(
      ask(session, "SELECT message FROM events WHERE tenant_id = getvariable('who') ORDER BY 1"),
      R"([["a1"],["a2"]])");
  for (const auto* sql :
       {"FROM runs", "VALUES (1)", "TABLE events", "WITH a AS (FROM events) FROM a",
        "DESCRIBE runs", "DESCRIBE SELECT 1", "SHOW TABLES", "SUMMARIZE SELECT 1",
        "EXPLAIN FROM runs", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (FORMAT json) FROM runs",
        "EXPLAIN (SELECT 1)", "PIVOT events ON message USING count(*)",
        "FROM (PIVOT events ON message USING count(*))",
        "EXPLAIN PIVOT events ON message USING count(*)", "PRAGMA table_info('runs')",
        "-- one\nSELECT 1; -- the end"}) {
    EXPECT_THAT(ask(session, sql), StartsWith("[[")) << sql;
  }
}

TEST_F(SessionTest, DoesNothingButAnswer) {
  const auto file = (folder_ / "out").string();
  const auto of_part =
      " TO " + sql_string(part("a").string()) + " (FORMAT parquet, USE_TMP_FILE false)";
  const auto before = bytes_of(part("a"));
  auto session = open();
  for (const auto& sql : std::vector<std::string>{
           "COPY (SELECT 1) TO '" + file + "'",
           "COPY (SELECT 1)" + of_part,
           "EXPLAIN ANALYZE COPY (SELECT 1)" + of_part,
           "/* a */ EXPLAIN -- b\n ANALYZE COPY (SELECT 1)" + of_part,
           "EXPLAIN (ANALYZE) COPY (SELECT 1)" + of_part,
           "EXPLAIN ANALYZE (FORMAT json) COPY (SELECT 1)" + of_part,
           "EXPLAIN (ANALYZE /*) SELECT 1 AS \"*/) COPY (SELECT 1)" + of_part + " --\"",
           "EXPLAIN (ANALYZE --) SELECT 1 AS \"\n) COPY (SELECT 1)" + of_part + " --\"",
           "EXPLAIN (FORMAT ') SELECT 1 AS \"', ANALYZE) COPY (SELECT 1)" + of_part + " --\"",
           "EXPLAIN (FORMAT $$) SELECT 1 AS \"$$, ANALYZE) COPY (SELECT 1)" + of_part + " --\"",
           "EXPLAIN (ANALYZE /*) SELECT 1 AS \"*/) CREATE OR REPLACE VIEW logs AS SELECT 1 --\"",
           "EXPLAIN ANALYZE SELECT 1; COPY (SELECT 1)" + of_part,
           "EXPLAIN ANALYZE PIVOT events ON message USING count(*); COPY (SELECT 1)" + of_part,
           "EXPLAIN ANALYZE COPY (SELECT 1)" + of_part + "; PIVOT events ON message USING count(*)",
           "EXPLAIN (ANALYZE) EXPLAIN (ANALYZE) COPY (SELECT 1)" + of_part,
           "SELECT 1; COPY (SELECT 1)" + of_part,
           "COPY (SELECT 1)" + of_part + "; SELECT 1",
           "SELECT 1; COPY (SELECT 1)" + of_part + "; SELECT 1",
           "PIVOT events ON message USING count(*); COPY (SELECT 1)" + of_part,
           "COPY (SELECT 1)" + of_part + "; PIVOT events ON message USING count(*)",
           "FROM query('COPY (SELECT 1) TO ''" + file + "''')",
           "EXPORT DATABASE '" + file + "'",
           "ATTACH '" + file + "'",
           "DETACH memory",
           "INSTALL httpfs",
           "LOAD icu",
           "SET threads = 1",
           "SET VARIABLE a = 1",
           "EXPLAIN ANALYZE SET VARIABLE a = 1",
           "RESET threads",
           "PRAGMA threads = 1",
           "PRAGMA enable_profiling",
           "CALL enable_logging()",
           "FROM enable_logging()",
           "FROM query('FROM runs')",
           "FROM query\u00a0('FROM ena' || 'ble_logging()')",
           "FROM query\u2003('FROM runs')",
           "FROM query\ufeff('FROM runs')",
           "CREATE TABLE t (a INT)",
           "CREATE TYPE t AS ENUM ('x'); SELECT 1",
           "CREATE TEMP TABLE t AS SELECT 1; FROM t",
           "CREATE MACRO m() AS TABLE FROM read_text('/etc/passwd')",
           "CREATE OR REPLACE VIEW logs AS SELECT 1",
           "DROP VIEW logs",
           "INSERT INTO events VALUES (1)",
           "DELETE FROM events",
           "UPDATE events SET message = ''",
           "ALTER VIEW logs RENAME TO l",
           "PREPARE p AS SELECT 1",
           "EXECUTE p",
           "CHECKPOINT",
           "CHECKPOINT; SELECT 1",
           "VACUUM",
           "BEGIN",
           "USE memory",
           "EXPLAIN EXPLAIN SELECT 1",
           "",
           ";",
           "-- nothing"}) {
    const auto answer = session.ask(sql);
    ASSERT_FALSE(answer) << sql;
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalidInput) << sql;
  }
  EXPECT_EQ(bytes_of(part("a")), before);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b1"],["b2"]])");
}

TEST_F(SessionTest, ReadsNothingButTheParts) {
  const auto foreign = part("a").parent_path() / "00000009.parquet";
  put(foreign, bytes_of(part("a")));
  const auto link = part("a").parent_path() / "link.parquet";
  std::filesystem::create_symlink("/etc/passwd", link);
  auto session = open();
  for (const auto& file : std::vector<std::filesystem::path>{
           "/etc/passwd", foreign, link, part("a").parent_path() / "*.parquet",
           store_.parts() / "*/*/*.parquet", store_.manifest(), store_.log() / "*.jsonl"}) {
    for (const std::string function : {"read_csv", "read_text", "read_blob", "read_json",
                                       "read_parquet", "parquet_metadata", "sniff_csv", "glob"}) {
      const auto answer = ask(session, "FROM " + function + "(" + sql_string(file.string()) + ")");
      EXPECT_THAT(answer, StartsWith("Permission Error")) << function << " " << file;
    }
  }
  EXPECT_THAT(ask(session, "FROM '/etc/passwd'"), HasSubstr("Error"));
  EXPECT_EQ(
      ask(session, "SELECT message FROM read_parquet(" + sql_string(part("b").string()) + ")"),
      R"([["b1"]])");
}

TEST_F(SessionTest, ShowsATenantWhatIsItsOwn) {
  auto session = open({.tenant = "a"});
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"]])");
  EXPECT_EQ(ask(session, "SELECT DISTINCT tenant_id FROM weir_tail()"), R"([["a"]])");
  EXPECT_EQ(ask(session, "SELECT DISTINCT tenant_id FROM weir_events()"), R"([["a"]])");
  EXPECT_THAT(ask(session, "FROM read_parquet(" + sql_string(part("b").string()) + ")"),
              StartsWith("Permission Error"));
  EXPECT_EQ(ask(kMessages, {.tenant = "nobody"}), "[]");
}

// What is at a part's place may not be what was put there.
TEST_F(SessionTest, FollowsNoLinkToAPart) {
  const auto elsewhere = folder_ / "elsewhere";
  std::filesystem::rename(part("a"), elsewhere);
  std::filesystem::create_symlink(elsewhere, part("a"));
  std::filesystem::rename(part("b").parent_path(), folder_ / "moved");
  std::filesystem::create_directory_symlink(folder_ / "moved", part("b").parent_path());
  EXPECT_EQ(ask(kMessages), R"([["a2"],["b2"]])");
  EXPECT_THAT(said(), AllOf(SizeIs(2), Contains("tenant=a: a symbolic link leads elsewhere"),
                            Contains("tenant=b: a symbolic link leads elsewhere")));
}

// All of the store may well be elsewhere.
TEST_F(SessionTest, IsOpenedOverALink) {
  std::filesystem::create_directory_symlink(store_.root(), folder_ / "link");
  std::filesystem::rename(store_.parts(), folder_ / "parts");
  std::filesystem::create_directory_symlink(folder_ / "parts", store_.parts());
  auto session = *Session::open(*log::StoreDirectory::open(folder_ / "link"), {}, bad_);
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b1"],["b2"]])");
  EXPECT_THAT(said(), IsEmpty());
}

// Some of them do not keep the bytes around from being read as they were: what matters is that
// either nothing is wrong with the answer, or the part is left out and named.
TEST_F(SessionTest, LeavesOutAPartThatIsDamagedInside) {
  const auto whole = bytes_of(part("a"));
  int left_out = 0;
  for (std::size_t at = 4; at + 4 < whole.size(); at += 97) {
    auto bytes = whole;
    for (std::size_t i = at; i < std::min(at + 32, whole.size() - 4); ++i) bytes[i] ^= 0x5a;
    put(part("a"), bytes);
    const auto answer = ask("SELECT message FROM (FROM events ORDER BY ALL) ORDER BY message");
    if (answer == R"([["a1"],["a2"],["b1"],["b2"]])") continue;
    EXPECT_EQ(answer, R"([["a2"],["b1"],["b2"]])") << at;
    ++left_out;
  }
  EXPECT_GT(left_out, 10);
  EXPECT_THAT(said(), Contains("tenant=a: its bytes are not those that were written"));
  EXPECT_THAT(said(), SizeIs(1));
}

TEST_F(SessionTest, LeavesOutAPartThatIsGoneMeanwhile) {
  auto session = open();
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b1"],["b2"]])");
  std::filesystem::remove(part("b"));
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b2"]])");
  EXPECT_THAT(said(), Contains("tenant=b: not there any more"));
}

TEST_F(SessionTest, SeesWhatIsCommittedWhileItIsOpen) {
  auto session = open();
  EXPECT_THAT(ask(session, kMessages), HasSubstr("a2"));
  write({line("a", "a3")});
  EXPECT_EQ(ask(session, "SELECT count(*) FROM events"), "[[5]]");
  // The segments of the views are gone then.
  ASSERT_TRUE(compact(store_, {.keep = {}}));
  EXPECT_EQ(ask(session, "SELECT count(*) FROM events"), "[[5]]");
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SessionTest, EndsAQuestionWhenItIsAskedTo) {
  auto session = open();
  for (const auto wait : {0, 50}) {
    std::stop_source stop;
    const std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(wait));
      stop.request_stop();
    });
    const auto answer = rows_of(session, kEndlessQuestion, stop.get_token());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  }
  EXPECT_EQ(ask(session, "SELECT 1"), "[[1]]");
}

TEST_F(SessionTest, HasAsMuchMemoryAsItIsGiven) {
  auto session = open({.memory_bytes = std::uint64_t{20} << 20, .threads = 1});
  const auto answer = rows_of(
      session, "SELECT max(len(x)) FROM (SELECT list(i) AS x FROM range(30000000) r(i))", {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kExhausted);
}

/// Needs more than 40 MB.
constexpr const char* kSort =
    "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY md5(i::VARCHAR)) AS n "
    "FROM range(1500000) r(i))";

TEST_F(SessionTest, DoesNotSayWhereTheStoreIs) {
  auto session = open({});
  for (const auto* sql :
       {"SELECT current_setting('allowed_paths')", "SELECT \"Current_Setting\"('allowed_paths')",
        "SELECT system.main./* */current_setting('temp_directory')", "FROM duckdb_settings()",
        "FROM pg_catalog.pg_settings", "FROM duckdb_temporary_files()", "FROM duckdb_functions()",
        "SELECT weir_part_files(NULL)"}) {
    EXPECT_THAT(ask(session, sql), HasSubstr("not for questions")) << sql;
  }
  EXPECT_EQ(ask(session, "SELECT 'current_setting' AS x -- duckdb_settings"),
            "[[\"current_setting\"]]");
}

// What can be put to the disk is, as long as there is a place for it.
TEST_F(SessionTest, SpillsBelowTheCacheAndLeavesNothingThere) {
  auto session = open({.memory_bytes = std::uint64_t{40} << 20, .threads = 1});
  EXPECT_EQ(ask(session, kSort), "[[1500000]]");
  auto none = open({.memory_bytes = std::uint64_t{40} << 20, .spill_bytes = 0, .threads = 1});
  EXPECT_THAT(ask(none, kSort), StartsWith("Out of Memory Error"));
}

// Whoever opens the views without a word of it must not fill the folder that he stands in.
TEST_F(SessionTest, OfViewsTooWhatIsPutAsideIsBelowTheCache) {
  const auto before = std::filesystem::current_path();
  const auto working_folder = folder_ / "working";
  std::filesystem::create_directory(working_folder);
  std::filesystem::current_path(working_folder);
  {
    const auto views = open_views(store_, std::make_shared<BadPlaces>(),
                                  {.database = {.memory_bytes = std::uint64_t{40} << 20}});
    ASSERT_TRUE(views) << views.error().message;
    auto connection = *views->database.connect();
    EXPECT_EQ(rows_text(connection, kSort), "[[1500000]]");
    const auto names = *list_directory(store_.root() / "cache");
    EXPECT_THAT(names, Contains(StartsWith("sql-")));
    EXPECT_TRUE(std::filesystem::is_empty(working_folder)) << "while it is open";
  }
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_empty(working_folder));
  EXPECT_THAT(*list_directory(store_.root() / "cache"), Not(Contains(StartsWith("sql-"))));
}

TEST_F(SessionTest, LeavesNothingInTheCache) {
  static_cast<void>(ask("SELECT 1"));
  EXPECT_THAT(*list_directory(store_.root() / "cache"), Not(Contains(StartsWith("sql-"))));
}

TEST_F(SessionTest, WritesParquetToTheOneFile) {
  auto session = open({.output = folder_ / "out.parquet"});
  EXPECT_EQ(session.write_parquet("SELECT message, 1::HUGEINT AS n FROM events; -- the end", {})
                .value_or(0),
            4U);
  EXPECT_EQ(ask(session, "SELECT count(*), max(typeof(n)) FROM read_parquet(" +
                             sql_string((folder_ / "out.parquet").string()) + ")"),
            R"x([[4,"DECIMAL(38,0)"]])x");
  EXPECT_EQ(session.write_parquet("PIVOT events ON message USING count(*)", 1).value_or(0), 2U);
  EXPECT_EQ(session.write_parquet("FROM events", 2).value_or(0), 3U);
  for (const auto* sql :
       {"EXPLAIN SELECT 1", "COPY (SELECT 1) TO '/tmp/x'", "SELECT 1; SELECT 2"}) {
    EXPECT_FALSE(session.write_parquet(sql, {})) << sql;
  }
}

TEST_F(SessionTest, SeesThatAPartWasWrittenToSinceItBegan) {
  auto session = open();
  EXPECT_EQ(ask(session, kMessages), R"([["a1"],["a2"],["b1"],["b2"]])");
  const auto bytes = bytes_of(part("b"));
  put(part("a"), bytes);
  std::filesystem::last_write_time(
      part("a"), std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_EQ(ask(session, "SELECT count(*) FROM events WHERE tenant_id = 'a' AND message = 'a1'"),
            "[[0]]");
  EXPECT_EQ(bad_->all().size(), 1U);
  EXPECT_EQ(ask(session, "SELECT count(*) FROM events WHERE message = 'b1'"), "[[1]]");
}

TEST_F(SessionTest, RemovesWhatAKilledOneLeft) {
  const auto cache = store_.root() / "cache";
  std::filesystem::create_directories(cache / "sql-1/spill");
  put(cache / "sql-1.lock", "");
  put(cache / "sql-1/spill/x", "x");
  const auto live = *ScratchFolder::make(store_);
  const auto other = *ScratchFolder::make(store_);
  EXPECT_FALSE(std::filesystem::exists(cache / "sql-1"));
  EXPECT_FALSE(std::filesystem::exists(cache / "sql-1.lock"));
  EXPECT_TRUE(std::filesystem::is_directory(live.path()));
  EXPECT_EQ(std::filesystem::status(live.path()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(SessionTest, KnowsTheWordsOfQuestions) {
  const auto words = *open().words();
  for (const auto* word :
       {"runs", "event_type", "count", "select", "weir_events", "width_bucket"}) {
    EXPECT_THAT(words, Contains(word));
  }
}

}  // namespace
}  // namespace weir::store
