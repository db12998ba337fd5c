// A follower that comes too late: what it has not read was compacted and removed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>

#include "base/file.h"
#include "log/follower.h"
#include "log/log_writer.h"
#include "log/sealing.h"
#include "record/log_feed.h"
#include "store/compaction.h"
#include "store/history.h"

namespace weir::store {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr auto kLong = 20s;
const CompactionOptions kRemoveAtOnce{.keep = {}, .keep_for_cursors = {}};

class FollowPartsTest : public testing::Test {
 protected:
  /// A process that writes these, a segment each, and ends. Gives its name.
  std::string write(const std::vector<std::string>& messages) {
    log::LogWriter writer(store_, system_clock(), {.segment_bytes = 1});
    for (const auto& message : messages) {
      auto line = R"({"timestamp":"2026-11-28T23:59:59.000001Z","event_type":"log","level":"INFO",)"
                  R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
                  run_.text() + R"(","run_seq":)" + std::to_string(++seq_) + R"(,"message":")" +
                  message + "\"}\n";
      EXPECT_TRUE(writer.commit(line, 1));
    }
    writer.close();
    EXPECT_TRUE(log::seal_finished(store_));
    return writer.name();
  }

  void compact(const CompactionOptions& options = kRemoveAtOnce) {
    const auto done = store::compact(store_, options);
    ASSERT_TRUE(done) << done.error().message;
  }

  /// What somebody reads who has got to `cursor_`, which goes on.
  std::vector<std::string> rest() {
    problems_.clear();
    auto follower = log::Follower::open(
        store_, *log::Cursor::parse(cursor_.text()),
        [this](const log::FollowProblem& problem) { problems_.push_back(problem.reason); },
        {.open_parts = open_parts});
    EXPECT_TRUE(follower);
    std::vector<std::string> messages;
    event::Decoder decoder;
    while (const auto commit = *follower->next(0ms)) {
      for (auto lines = commit->lines; !lines.empty();) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(line.size() + 1);
        messages.emplace_back((*decoder.decode(line))->text(event::Field::kMessage));
      }
    }
    cursor_ = follower->cursor();
    return messages;
  }

  const log::StoreDirectory store_ =
      *log::StoreDirectory::create(testing::TempDir() + "late-" + std::to_string(random_bits()));
  const RunId run_ = RunId::make(system_clock().now());
  int seq_ = 0;
  log::Cursor cursor_;
  std::vector<std::string> problems_;
};

TEST_F(FollowPartsTest, GoesOnFromThePartsAndThenTheSegmentsWithoutLossAndTwice) {
  write({"a", "b"});
  write({"c"});
  compact();
  write({"d"});
  compact();
  write({"e"});
  EXPECT_THAT(*store_.segment_names(), SizeIs(1));
  EXPECT_THAT(rest(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_THAT(rest(), IsEmpty());

  // It need not name the writers of whom there is nothing any more.
  compact();
  EXPECT_THAT(rest(), IsEmpty());
  EXPECT_THAT(cursor_.positions, IsEmpty());
  write({"f"});
  EXPECT_THAT(rest(), ElementsAre("f"));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(FollowPartsTest, ReadsABatchAgainOfWhichItHadABeginning) {
  write({"a"});
  compact();
  const auto writer = write({"b", "c", "d"});
  EXPECT_THAT(rest(), ElementsAre("a", "b", "c", "d"));
  cursor_.positions[writer] = {.segment = 2, .offset = 0};  // all but "b" is to come
  compact();
  EXPECT_THAT(rest(), ElementsAre("b", "c", "d"));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("come again")));
  EXPECT_THAT(rest(), IsEmpty());
}

TEST_F(FollowPartsTest, GoesOnWithAWriterOfWhomItNeedNotKnowAnyMore) {
  log::LogWriter writer(store_, system_clock(), {.segment_bytes = 1});
  const auto commit = [&](const std::string& message) {
    auto line = R"({"timestamp":"2026-11-28T23:59:59.000001Z","event_type":"log","level":"INFO",)"
                R"("pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1","run_id":")" +
                run_.text() + R"(","run_seq":)" + std::to_string(++seq_) + R"(,"message":")" +
                message + "\"}\n";
    EXPECT_TRUE(writer.commit(line, 1));
  };
  commit("a");
  writer.close();
  compact();
  EXPECT_THAT(rest(), ElementsAre("a"));
  EXPECT_THAT(cursor_.positions, IsEmpty());
  commit("b");
  EXPECT_THAT(rest(), ElementsAre("b"));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(FollowPartsTest, TellsOfADamagedPartAndGoesOnBehindIt) {
  write({"a"});
  compact();
  write({"b"});
  compact();
  const auto part = store_.parts() / log::read_manifest(store_)->parts().front().file;
  std::filesystem::resize_file(part, 100);
  EXPECT_THAT(rest(), ElementsAre("b"));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr(part.string())));
  EXPECT_THAT(rest(), IsEmpty());
}

TEST_F(FollowPartsTest, MergesNoBatchesThatARegisteredCursorHasNotPassed) {
  auto merge = kRemoveAtOnce;
  merge.merge.fewest = 2;
  ASSERT_TRUE(log::write_cursor(store_, "shipper", {}));
  write({"a"});
  compact(merge);
  write({"b"});
  compact(merge);
  EXPECT_THAT(*store_.segment_names(), IsEmpty());
  EXPECT_THAT(log::read_manifest(store_)->parts(), SizeIs(2));
  EXPECT_THAT(rest(), ElementsAre("a", "b"));
  ASSERT_TRUE(log::write_cursor(store_, "shipper", cursor_));
  compact(merge);
  EXPECT_THAT(log::read_manifest(store_)->parts(), SizeIs(1));
  EXPECT_THAT(rest(), IsEmpty());
  cursor_ = {};
  EXPECT_THAT(rest(), ElementsAre("a", "b"));
}

/// Keeps the messages of what it is given.
class KeepingSink final : public record::EventSink {
 public:
  Result<void> emit(const record::Published& event) override {
    messages.emplace_back(event.event.text(event::Field::kMessage));
    return {};
  }
  Result<void> flush() override { return {}; }
  std::vector<std::string> messages;
};

TEST_F(FollowPartsTest, ASinkThatIsBehindGetsItAll) {
  write({"a", "b"});
  compact();
  write({"c"});
  const auto sink = std::make_shared<KeepingSink>();
  const auto feed = *record::LogFeed::start(store_, sink, {.open_parts = open_parts});
  ASSERT_TRUE(feed->finish(kLong));
  EXPECT_THAT(sink->messages, ElementsAre("a", "b", "c"));
  EXPECT_EQ(feed->statistics().errors, 0U) << feed->statistics().last_error;
  cursor_ = feed->cursor();
  EXPECT_THAT(rest(), IsEmpty());
}

}  // namespace
}  // namespace weir::store
