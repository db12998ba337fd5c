// What a recorder asks of the disk, and what it does when there is no room.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/troubled_files.h"
#include "event/decoder.h"
#include "log/verify.h"
#include "record/recorded_events.h"
#include "record/recorder.h"

namespace weir::record {
namespace {

using testing_support::committed_lines;
using testing_support::emit_message;
using testing_support::fresh_store;
using testing_support::some_run;

class CountedFiles final : public TroubledFiles {
 public:
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> syncs{0};
  ssize_t write(int file, const char* bytes, std::size_t size) override {
    ++writes;
    return TroubledFiles::write(file, bytes, size);
  }
  ssize_t pwrite(int file, const char* bytes, std::size_t size, std::uint64_t offset) override {
    ++writes;
    return TroubledFiles::pwrite(file, bytes, size, offset);
  }
  int fdatasync(int file) override {
    ++syncs;
    return TroubledFiles::fdatasync(file);
  }
};

TEST(Recorder, CommitsABatchByOneWriteAndOneSync) {
  CountedFiles files;
  const auto store = fresh_store(files);
  Recorder recorder(store);
  const auto run = *recorder.begin(some_run());
  emit_message(*run, "the first makes the segment");
  ASSERT_TRUE(run->flush());
  const auto writes = files.writes.load(), syncs = files.syncs.load();
  const auto commits = recorder.statistics().commits;
  constexpr std::uint64_t kBatches = 20;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    for (int event = 0; event < 50; ++event) emit_message(*run, "an event");
    ASSERT_TRUE(run->flush());
  }
  const auto batches = recorder.statistics().commits - commits;
  EXPECT_GE(batches, kBatches);
  EXPECT_EQ(files.writes - writes, batches);
  EXPECT_EQ(files.syncs - syncs, batches);
}

// A recorder that ends before there is room leaves a note, and the next one says it.
TEST(Recorder, SaysWhatOneThatIsGoneCouldNotWrite) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  const auto fields = some_run();
  {
    Recorder recorder(store);
    const auto run = *recorder.begin(fields);
    emit_message(*run, "before");
    ASSERT_TRUE(run->flush());
    files.full = true;
    emit_message(*run, "lost");
    EXPECT_FALSE(run->flush());
  }
  {
    const Recorder cannot_say_it_either(store);
  }
  EXPECT_EQ(committed_lines(store).size(), 1U);

  files.full = false;
  {
    const Recorder next(store);
  }
  {
    const Recorder after_it(store);
  }  // it is said once
  const auto lines = committed_lines(store);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[1],
              testing::AllOf(testing::HasSubstr("\"event_type\":\"alert_fired\""),
                             testing::HasSubstr("\"severity\":\"P1\""),
                             testing::HasSubstr(
                                 "its process has ended: 1 events of 1 runs are not in the log"),
                             testing::HasSubstr("\"runs\":[\"" + fields.run_id.text() + "\"]")));
  event::Decoder decoder;
  EXPECT_TRUE(decoder.decode(lines[1]));
  EXPECT_TRUE(log::verify_seals(store)->problems.empty());
}

}  // namespace
}  // namespace weir::record
