#include "record/process_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/recorded_events.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;
using event::Type;
using testing_support::committed_lines;
using testing_support::text_of;

class DayClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return system_clock().monotonic();
  }
  Timestamp time = *parse_rfc3339("2026-01-31T23:59:59.999999Z");
};

class ProcessRunsTest : public testing::Test {
 protected:
  Result<void> say(Retention retention, std::string_view tenant, std::string_view message) {
    const event::FieldValue fields[] = {{Field::kMessage, message}};
    return recorder_->process_runs().emit(retention, tenant, Type::kLog, Level::kWarning, fields);
  }
  std::vector<json::Object> events() {
    recorder_.reset();
    std::vector<json::Object> events;
    for (const auto& line : committed_lines(store_)) {
      const auto value = json::parse(line);
      events.push_back(*value->object());
    }
    return events;
  }

  DayClock clock_;
  log::StoreDirectory store_ = *log::StoreDirectory::create(testing::TempDir() + "process-runs-" +
                                                            std::to_string(random_bits()));
  std::unique_ptr<Recorder> recorder_ =
      std::make_unique<Recorder>(store_, RecorderOptions{.clock = &clock_});
};

TEST_F(ProcessRunsTest, AreOneForEachTenantAndRetention) {
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(say(Retention::kOperations, "", "a"));
    ASSERT_TRUE(say(Retention::kAudit, "", "b"));
    ASSERT_TRUE(say(Retention::kOperations, "acme", "c"));
  }
  std::map<std::string, std::vector<std::string>> messages;
  for (const auto& event : events()) {
    EXPECT_EQ(text_of(event, "pipeline_id"), "weir");
    EXPECT_EQ(text_of(event, "pipeline_type"), "external");
    EXPECT_EQ(text_of(event, "component"), text_of(event, "message") == "b" ? "audit" : "-");
    EXPECT_EQ(text_of(event, "tenant_id"), text_of(event, "message") == "c" ? "acme" : "-");
    messages[text_of(event, "run_id")].push_back(text_of(event, "message") +
                                                 text_of(event, "run_seq"));
  }
  std::vector<std::vector<std::string>> of_runs;
  for (const auto& [run, said] : messages) of_runs.push_back(said);
  EXPECT_THAT(of_runs, testing::UnorderedElementsAre(std::vector<std::string>{"a1", "a2"},
                                                     std::vector<std::string>{"b1", "b2"},
                                                     std::vector<std::string>{"c1", "c2"}));
}

TEST_F(ProcessRunsTest, AreOthersOnTheNextDay) {
  ASSERT_TRUE(say(Retention::kOperations, "", "today"));
  clock_.time += std::chrono::microseconds(1);
  ASSERT_TRUE(say(Retention::kOperations, "", "tomorrow"));
  clock_.time += std::chrono::hours(23);
  ASSERT_TRUE(say(Retention::kOperations, "", "and later"));
  const auto found = events();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NE(text_of(found[0], "run_id"), text_of(found[1], "run_id"));
  EXPECT_EQ(text_of(found[1], "run_id"), text_of(found[2], "run_id"));
}

TEST_F(ProcessRunsTest, TakeNothingWhenTheRecorderEnds) {
  recorder_->process_runs().close();
  EXPECT_EQ(say(Retention::kOperations, "", "late").error().code, ErrorCode::kCancelled);
}

/// What a crashed process has left is cut off when the next one seals it, and that is said.
TEST_F(ProcessRunsTest, HaveAWarningForWhatWasCutOffASegment) {
  recorder_.reset();
  const log::SegmentName crashed{.writer = std::string(24, '0'), .number = 1};
  {
    auto segment = log::SegmentWriter::create(store_.segment(crashed));
    std::string lines = "{}\n";
    ASSERT_TRUE(segment->commit(lines, 1));
  }
  {
    auto file = File::open_to_change(store_.segment(crashed));
    ASSERT_TRUE(file);
    const auto end = std::filesystem::file_size(store_.segment(crashed));
    ASSERT_TRUE(file->write_at(end, "torn"));
  }
  recorder_ = std::make_unique<Recorder>(store_);
  for (std::vector<std::string> lines; lines.size() < 2;) {
    lines = committed_lines(store_);
    if (lines.size() < 2) continue;
    EXPECT_THAT(lines[1], testing::HasSubstr(R"("level":"WARNING","pipeline_type":"external")"));
    EXPECT_THAT(lines[1], testing::HasSubstr(crashed.file_name() + ": 4 bytes"));
  }
}

}  // namespace
}  // namespace weir::record
