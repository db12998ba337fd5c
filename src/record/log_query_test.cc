#include "record/log_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "log/log_writer.h"
#include "record/log_record.h"

namespace weir::record {
namespace {

using event::Level;

/// A store whose segments are written here, commit by commit.
class Segments {
 public:
  Segments() : store_(*log::StoreDirectory::create(folder())) {}

  [[nodiscard]] const log::StoreDirectory& store() const { return store_; }

  /// Each call makes a segment, of one commit.
  void write(const std::vector<std::string>& lines) {
    log::LogWriter writer(store_, system_clock());
    std::string commit;
    for (const auto& line : lines) commit += line + "\n";
    ASSERT_TRUE(writer.commit(commit, lines.size()));
  }

 private:
  static std::string folder() {
    return testing::TempDir() + "store-" + std::to_string(random_bits());
  }
  log::StoreDirectory store_;
};

const std::string kRun = "01890a5d-ac96-774b-bcce-b302099a8057";
const std::string kOtherRun = "01890a5d-ac96-774b-bcce-b302099a8058";

/// A log line at `second` of a minute, with more members if need be.
std::string line(int second, const std::string& message, const std::string& more = "",
                 const std::string& level = "INFO", const std::string& type = "log",
                 const std::string& run = kRun) {
  const auto two_digits = (second < 10 ? "0" : "") + std::to_string(second);
  return R"({"timestamp":"2026-01-01T00:00:)" + two_digits + R"(.000000Z","event_type":")" + type +
         R"(","level":")" + level +
         R"(","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" + run +
         R"(","run_seq":1)" + more + R"(,"message":")" + message + R"("})";
}

std::vector<std::string> messages(const LogEntries& entries) {
  std::vector<std::string> messages;
  messages.reserve(entries.entries.size());
  for (const auto& entry : entries.entries) {
    messages.push_back(*json::parse(entry.line)->object()->find("message")->string());
  }
  return messages;
}

std::vector<std::string> ask(const Segments& segments, const LogQuery& query) {
  const auto result = query_logs(segments_of(segments.store()), query);
  EXPECT_TRUE(result);
  return result ? messages(*result) : std::vector<std::string>();
}

TEST(QueryLogs, GivesTheFirstOrTheLastEventsByTimeOfAllSegments) {
  Segments segments;
  segments.write({line(1, "a"), line(5, "e"), line(3, "c")});
  segments.write({line(2, "b"), line(4, "d"), line(4, "d2")});
  using Order = LogQuery::Order;
  EXPECT_THAT(ask(segments, {}), testing::ElementsAre("a", "b", "c", "d", "d2", "e"));
  EXPECT_THAT(ask(segments, {.limit = 3}), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(ask(segments, {.limit = 3, .order = Order::kNewestFirst}),
              testing::ElementsAre("e", "d2", "d"));
  EXPECT_THAT(ask(segments, {.limit = 0}), testing::IsEmpty());
}

TEST(QueryLogs, GivesWhatMatchesAllThatIsAskedFor) {
  Segments segments;
  segments.write({line(1, "plain"), line(2, "node", R"(,"node_id":"n")"),
                  line(3, "component", R"(,"component":"n")", "ERROR"),
                  line(4, "both", R"(,"node_id":"m","component":"n")"),
                  line(5, "cache", R"(,"node_id":"n")", "INFO", "cache_hit"),
                  line(6, "custom", "", "INFO", "my.type"),
                  line(7, "other run", R"(,"node_id":"n")", "INFO", "log", kOtherRun)});
  EXPECT_THAT(ask(segments, {.node_name = "n"}),
              testing::ElementsAre("node", "component", "cache", "other run"));
  EXPECT_THAT(ask(segments, {.event_type = "cache_hit"}), testing::ElementsAre("cache"));
  EXPECT_THAT(ask(segments, {.event_type = "my.type"}), testing::ElementsAre("custom"));
  EXPECT_THAT(ask(segments, {.level = Level::kError}), testing::ElementsAre("component"));
  EXPECT_THAT(ask(segments, {.event_type = "log", .node_name = "n", .run_id = RunId::parse(kRun)}),
              testing::ElementsAre("node", "component"));
  EXPECT_THAT(ask(segments, {.event_type = "nonsense"}), testing::IsEmpty());
}

TEST(QueryLogs, RefusesALimitThatWouldNotFit) {
  const Segments segments;
  EXPECT_EQ(query_logs(segments_of(segments.store()), {.limit = kMaxQueryLimit + 1}).error().code,
            ErrorCode::kInvalidInput);
}

TEST(QueryLogs, CountsWhatItReadAndWhatItCouldNot) {
  Segments segments;
  segments.write({line(1, "a"), R"({"timestamp":"nonsense"})", line(2, "b")});
  segments.write({line(3, "spoiled")});
  segments.write({});
  const auto paths = *segments.store().segments();
  ASSERT_EQ(paths.size(), 3U);
  std::size_t spoiled = 0;
  for (const auto& path : paths) {
    std::fstream file(path, std::ios::in | std::ios::out);
    std::string first;
    std::getline(file, first);
    if (first.find("spoiled") == std::string::npos) continue;
    file.seekp(static_cast<std::streamoff>(first.find("spoiled")));
    file << 'X';
    spoiled = first.size() + 1;
  }
  const auto result = query_logs(segments_of(segments.store()));
  ASSERT_TRUE(result);
  EXPECT_THAT(messages(*result), testing::ElementsAre("a", "b"));
  EXPECT_EQ(result->read.segments, 3U);
  EXPECT_EQ(result->read.events, 3U);
  EXPECT_EQ(result->read.skipped_events, 1U);
  EXPECT_GE(result->read.damaged_bytes, spoiled);
}

// 40 lines of 2 MiB are more than an answer may hold. What is given is the beginning of what was
// asked for, without holes, though smaller lines come later.
TEST(QueryLogs, GivesTheBeginningWhenThereIsNoMemoryForAll) {
  Segments segments;
  const std::string large(2 << 20, 'x');
  for (int block = 0; block < 2; ++block) {
    std::vector<std::string> lines;
    lines.reserve(20);
    for (int i = 0; i < 20; ++i) lines.push_back(line(20 * block + i, large));
    segments.write(lines);
  }
  segments.write({line(50, "small"), line(0, "first")});
  const auto result = query_logs(segments_of(segments.store()), {.limit = 100});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->is_cut);
  const auto found = messages(*result);
  EXPECT_EQ(found.size(), 32U);
  EXPECT_EQ(found[1], "first");
  EXPECT_THAT(found, testing::Not(testing::Contains("small")));
  for (std::size_t i = 2; i < found.size(); ++i) {
    EXPECT_EQ(to_string(result->entries[i].timestamp).substr(17, 2),
              (i < 11 ? "0" : "") + std::to_string(i - 1));
  }
  EXPECT_FALSE(query_logs(segments_of(segments.store()), {.limit = 10})->is_cut);
}

TEST(GetSummary, CountsByLevelAndTypeAndNamesTheFirstErrors) {
  Segments segments;
  std::vector<std::string> lines;
  for (int i = 11; i >= 0; --i) {
    lines.push_back(line(i, "m" + std::to_string(i), R"(,"node_id":"n")", "ERROR"));
  }
  segments.write(lines);
  segments.write({line(30, "f", R"(,"component":"c","error_message":"e")", "FATAL"),
                  line(31, "i", "", "INFO", "my.type"),
                  line(32, "o", "", "INFO", "log", kOtherRun)});
  const auto summary = get_summary(segments_of(segments.store()));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->total, 15U);
  EXPECT_THAT(summary->by_level,
              testing::ElementsAre(testing::Pair("ERROR", 12), testing::Pair("FATAL", 1),
                                   testing::Pair("INFO", 2)));
  EXPECT_THAT(summary->by_event_type,
              testing::ElementsAre(testing::Pair("log", 14), testing::Pair("my.type", 1)));
  ASSERT_EQ(summary->errors.size(), LogSummary::kMaxErrors);
  EXPECT_EQ(summary->errors[0].error, "m0");
  EXPECT_EQ(summary->errors[0].node_name, "n");
  EXPECT_EQ(to_string(summary->errors[9].timestamp), "2026-01-01T00:00:09.000000Z");
  EXPECT_EQ(summary->read.segments, 2U);
  EXPECT_GT(summary->read.bytes, 15U * 200);

  const auto other = get_summary(segments_of(segments.store()), RunId::parse(kOtherRun));
  ASSERT_TRUE(other);
  EXPECT_EQ(other->total, 1U);
  EXPECT_EQ(other->read.events, 15U);
}

TEST(GetSummary, CountsNoMoreTypesThanItsLimit) {
  Segments segments;
  std::vector<std::string> lines;
  lines.reserve(LogSummary::kMaxEventTypes + 5);
  for (std::size_t i = 0; i < LogSummary::kMaxEventTypes + 5; ++i) {
    lines.push_back(line(1, "m", "", "INFO", "t" + std::to_string(i)));
  }
  segments.write(lines);
  const auto summary = get_summary(segments_of(segments.store()));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->by_event_type.size(), LogSummary::kMaxEventTypes + 1);
  EXPECT_EQ(summary->by_event_type.at("(other)"), 5U);
}

TEST(LogRecord, KnowsTheNamesOfTheSeedBothWays) {
  EXPECT_EQ(to_odibi_name("pipeline_node_started"), "node_start");
  EXPECT_EQ(from_odibi_name("node_start"), "pipeline_node_started");
  EXPECT_EQ(to_odibi_name("cache_hit"), "cache_hit");
  EXPECT_EQ(from_odibi_name("anything"), "anything");
}

}  // namespace
}  // namespace weir::record
