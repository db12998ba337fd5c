#include "record/json_lines_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/compression.h"
#include "base/troubled_files.h"
#include "record/sink_testing.h"

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return time; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return {}; }
  Timestamp time = *parse_rfc3339("2026-01-31T10:00:00Z");
};

class JsonLinesSinkTest : public testing::Test {
 protected:
  JsonLinesSinkTest() : folder_(testing::TempDir() + "json-lines-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_ = {.path = folder_ / "agent.log", .clock = &clock_, .files = &files_};
    options_.retention.compression = Compression::kNone;
  }
  ~JsonLinesSinkTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<JsonLinesSink> open() {
    auto sink = JsonLinesSink::open(options_);
    EXPECT_TRUE(sink) << (sink ? "" : sink.error().message);
    return sink ? *std::move(sink) : nullptr;
  }
  /// Every line takes a file of its own.
  void rotate_at_every_line() { options_.max_file_bytes = 1; }

  std::string text(const std::string& name = "agent.log") {
    auto bytes = read_file(folder_ / name, 1'000'000).value_or("(no file)");
    return name.ends_with(".gz") ? gunzip(bytes, 1'000'000).value_or("(no gzip)") : bytes;
  }
  void put(const std::string& name, std::string_view bytes) {
    ASSERT_TRUE(write_file_durably(folder_ / name, bytes));
  }
  /// But for the file of the lock.
  std::vector<std::string> names() {
    auto names = list_directory(folder_).value();
    EXPECT_EQ(std::erase(names, "agent.log.lock"), 1U);
    return names;
  }

  std::filesystem::path folder_;
  SetClock clock_;
  TroubledFiles files_;
  JsonLinesOptions options_;
  const TestEvent a_{"a"}, b_{"b"}, c_{"c"};
  const std::string a_line_ = a_.line() + "\n", b_line_ = b_.line() + "\n",
                    c_line_ = c_.line() + "\n";
};

TEST_F(JsonLinesSinkTest, WritesEventsAsTheyAreInTheLog) {
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_EQ(text(), a_line_ + b_line_);
  EXPECT_TRUE(sink->flush());
}

TEST_F(JsonLinesSinkTest, RefusesALineThatWouldBeTwo) {
  const auto sink = open();
  auto event = a_.published();
  event.line = "{}\n{}";
  EXPECT_EQ(sink->emit(event).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(text(), "");
}

TEST_F(JsonLinesSinkTest, MakesItsFolder) {
  options_.path = folder_ / "deep" / "er" / "x.jsonl";
  ASSERT_TRUE(open()->emit(a_.published()));
  EXPECT_EQ(text("deep/er/x.jsonl"), a_line_);
}

TEST_F(JsonLinesSinkTest, WritesChosenFieldsUnderChosenNames) {
  options_.fields = {{"at", value_named("timestamp")},
                     {"seconds",
                      [](const ProjectedEvent& e) -> json::Value {
                        return e.event.number(event::Field::kDurationMs).value_or(0) / 1000;
                      }},
                     {"mine", value_named("mine")},
                     {"keys", value_named("output_keys")},
                     {"hit", value_named("cache_hit")},
                     {"nothing", value_named("nothing")}};
  const auto sink = open();
  const TestEvent event("a", R"("duration_ms":1500.0,"output_keys":["x"],"cache_hit":true,)"
                             R"("attributes":{"mine":{"deep":"\u001b\n"}})");
  ASSERT_TRUE(sink->emit(event.published()));
  EXPECT_EQ(text(), R"({"at":"2026-01-05T03:00:00.250000Z","seconds":1.5,)"
                    R"("mine":{"deep":"\u001b\n"},"keys":["x"],"hit":true,"nothing":null})"
                    "\n");
}

TEST_F(JsonLinesSinkTest, RotatesBeforeALineThatDoesNotFit) {
  options_.max_file_bytes = a_line_.size() + b_line_.size();
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.log"));
  ASSERT_TRUE(sink->emit(c_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.20260131T100000.000000Z.log", "agent.log"));
  EXPECT_EQ(text("agent.20260131T100000.000000Z.log"), a_line_ + b_line_);
  EXPECT_EQ(text(), c_line_);
}

// Nothing is overwritten when a second has several files, and their order is that of the lines
// even when the clock is set back.
TEST_F(JsonLinesSinkTest, GivesEveryFileANameAfterTheOnesBefore) {
  rotate_at_every_line();
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  ASSERT_TRUE(sink->emit(c_.published()));
  clock_.time -= 24h;
  ASSERT_TRUE(sink->emit(a_.published()));
  EXPECT_THAT(names(),
              ElementsAre("agent.20260131T100000.000000Z.log", "agent.20260131T100000.000001Z.log",
                          "agent.20260131T100000.000002Z.log", "agent.log"));
  EXPECT_EQ(text("agent.20260131T100000.000000Z.log"), a_line_);
  EXPECT_EQ(text("agent.20260131T100000.000002Z.log"), c_line_);
}

TEST_F(JsonLinesSinkTest, CompressesRotatedFiles) {
  rotate_at_every_line();
  options_.retention.compression = Compression::kGzip;
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.20260131T100000.000000Z.log.gz", "agent.log"));
  EXPECT_EQ(text("agent.20260131T100000.000000Z.log.gz"), a_line_);
}

TEST_F(JsonLinesSinkTest, KeepsSoManyFiles) {
  rotate_at_every_line();
  options_.retention.max_files = 2;
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  ASSERT_TRUE(sink->emit(c_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.20260131T100000.000001Z.log", "agent.log"));
  EXPECT_EQ(text("agent.20260131T100000.000001Z.log"), b_line_);
  EXPECT_EQ(text(), c_line_);
}

TEST_F(JsonLinesSinkTest, KeepsFilesSoLongAlsoWhenItDoesNotRotate) {
  options_.max_file_bytes = 1'000'000;
  put("agent.20260101T100000.000000Z.log", "old\n");
  put("agent.20260102T100000.000000Z.log.gz", "not so old\n");
  const auto sink = open();
  EXPECT_EQ(names().size(), 3U);
  clock_.time += 30min;
  ASSERT_TRUE(sink->emit(a_.published()));
  EXPECT_EQ(names().size(), 3U) << "it does not look at every event";
  clock_.time += 31min;
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.20260102T100000.000000Z.log.gz", "agent.log"));
}

TEST_F(JsonLinesSinkTest, KeepsFilesSoLongAlsoWhenTheClockIsSetBack) {
  const auto sink = open();
  put("agent.20251101T100000.000000Z.log", "old\n");
  clock_.time -= 48h;
  ASSERT_TRUE(sink->emit(a_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.log"));
}

TEST_F(JsonLinesSinkTest, DeletesNothingThatItDidNotName) {
  const std::vector<std::string> others = {"agent.20260131T100000.000000Z.log.bak",
                                           "agent.20261331T100000.000000Z.log",
                                           "agent.1.log",
                                           "agent.20260131T100000Z.log",
                                           "agent.x.20200131T100000.000000Z.log",
                                           "agent2.20200131T100000.000000Z.log",
                                           "agent.20200131T100000.000000Z.txt",
                                           "agent.20200131T100000.000000z.log"};
  for (const auto& name : others) put(name, "mine\n");
  put("agent.20200131T100000.000000Z.log", "old\n");
  put("agent.20200131T100000.000001Z.log.gz", "old\n");
  rotate_at_every_line();
  options_.retention.max_files = 1;
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  auto left = others;
  left.emplace_back("agent.log");
  std::ranges::sort(left);
  EXPECT_EQ(names(), left);
}

// A crash can come between any two calls of compression.
TEST_F(JsonLinesSinkTest, FinishesWhatACrashHasLeftOfACompression) {
  options_.retention.compression = Compression::kGzip;
  put("agent.20260130T100000.000000Z.log", "one\n");
  put("agent.20260130T100000.000000Z.log.gz.new", "half of i");
  put("agent.20260130T110000.000000Z.log", "two\n");
  ASSERT_TRUE(gzip_file(folder_ / "agent.20260130T110000.000000Z.log",
                        folder_ / "agent.20260130T110000.000000Z.log.gz"));
  const auto sink = open();
  EXPECT_TRUE(sink->flush());
  EXPECT_THAT(names(), ElementsAre("agent.20260130T100000.000000Z.log.gz",
                                   "agent.20260130T110000.000000Z.log.gz", "agent.log"));
  EXPECT_EQ(text("agent.20260130T100000.000000Z.log.gz"), "one\n");
  EXPECT_EQ(text("agent.20260130T110000.000000Z.log.gz"), "two\n");
}

TEST_F(JsonLinesSinkTest, EndsTheLineThatACrashHasCut) {
  put("agent.log", a_line_ + "{\"time");
  ASSERT_TRUE(open()->emit(b_.published()));
  EXPECT_EQ(text(), a_line_ + "{\"time\n" + b_line_);
}

TEST_F(JsonLinesSinkTest, GoesOnInTheFileThatIsThere) {
  ASSERT_TRUE(open()->emit(a_.published()));
  ASSERT_TRUE(open()->emit(b_.published()));
  EXPECT_EQ(text(), a_line_ + b_line_);
}

TEST_F(JsonLinesSinkTest, LeavesNoHalfLineOnAFullDiskAndGoesOnWhenThereIsRoom) {
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  for (auto* trouble : {&files_.full, &files_.full_at_write}) {
    *trouble = true;
    const auto emitted = sink->emit(b_.published());
    ASSERT_FALSE(emitted);
    EXPECT_EQ(emitted.error().code, ErrorCode::kExhausted);
    EXPECT_EQ(text(), a_line_);
    *trouble = false;
  }
  ASSERT_TRUE(sink->emit(c_.published()));
  EXPECT_EQ(text(), a_line_ + c_line_);
}

TEST_F(JsonLinesSinkTest, LosesNoFileWhenItCannotBeCompressedAndTriesAgain) {
  rotate_at_every_line();
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  files_.full = true;
  EXPECT_FALSE(sink->emit(b_.published()));
  files_.full = false;
  ASSERT_TRUE(sink->emit(c_.published()));
  EXPECT_THAT(names(), ElementsAre("agent.20260131T100000.000000Z.log", "agent.log"));
  EXPECT_EQ(text("agent.20260131T100000.000000Z.log"), a_line_);
  EXPECT_EQ(text(), c_line_);
}

TEST_F(JsonLinesSinkTest, GoesOnInAFileThatItCannotRotateAndSaysSoInFlush) {
  struct FixedNames final : TroubledFiles {
    int rename(const char* from, const char* to) override {
      if (!refuses) return TroubledFiles::rename(from, to);
      errno = EACCES;
      return -1;
    }
    bool refuses = true;
  } files;
  options_.files = &files;
  rotate_at_every_line();
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_EQ(text(), a_line_ + b_line_);
  EXPECT_FALSE(sink->flush());
  EXPECT_FALSE(sink->flush());
  files.refuses = false;
  ASSERT_TRUE(sink->emit(c_.published()));
  EXPECT_TRUE(sink->flush());
  EXPECT_EQ(text(), c_line_);
}

TEST_F(JsonLinesSinkTest, SaysInFlushWhatItCannotTidyUp) {
  rotate_at_every_line();
  options_.retention.max_files = 1;
  // A folder in the place of a file can be neither deleted nor compressed.
  std::filesystem::create_directories(folder_ / "agent.20200131T100000.000000Z.log");
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  EXPECT_THAT(sink->flush().error().message,
              testing::StartsWith("delete " + (folder_ / "agent.2020").string()));
  std::filesystem::remove(folder_ / "agent.20200131T100000.000000Z.log");
  EXPECT_TRUE(sink->flush());
}

TEST_F(JsonLinesSinkTest, BeginsAFileAnewThatSomebodyMovedAway) {
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  std::filesystem::rename(folder_ / "agent.log", folder_ / "moved");
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_EQ(text("moved"), a_line_);
  EXPECT_EQ(text(), b_line_);
}

TEST_F(JsonLinesSinkTest, GoesOnAtTheEndOfAFileThatSomebodyEmptied) {
  const auto sink = open();
  ASSERT_TRUE(sink->emit(a_.published()));
  std::filesystem::resize_file(folder_ / "agent.log", 0);
  ASSERT_TRUE(sink->emit(b_.published()));
  EXPECT_EQ(text(), b_line_);
}

TEST_F(JsonLinesSinkTest, LeavesAFileToTheOneWhoWritesIt) {
  const auto first = open();
  const auto second = JsonLinesSink::open(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(),
            (Error{ErrorCode::kConflict, (folder_ / "agent.log").string() +
                                             ": another sink or process writes this file"}));
}

TEST_F(JsonLinesSinkTest, RefusesOptionsThatMakeNoSense) {
  const auto refused = [&](auto change) {
    auto options = options_;
    change(options);
    const auto sink = JsonLinesSink::open(std::move(options));
    return !sink && sink.error().code == ErrorCode::kInvalidInput;
  };
  EXPECT_TRUE(refused([](auto& options) { options.path = ""; }));
  EXPECT_TRUE(refused([](auto& options) { options.path = "folder/"; }));
  EXPECT_TRUE(refused([](auto& options) { options.max_file_bytes = 0; }));
  EXPECT_TRUE(refused([](auto& options) { options.retention.max_files = 0; }));
  EXPECT_TRUE(refused([](auto& options) { options.retention.max_age = std::chrono::days(0); }));
}

}  // namespace
}  // namespace weir::record
