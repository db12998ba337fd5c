#include "log/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "base/troubled_files.h"

namespace weir::log {
namespace {

std::filesystem::path fresh_path() {
  return testing::TempDir() + "weir-" + std::to_string(random_bits());
}

struct Written {
  std::string bytes;
  std::vector<std::vector<std::string>> commits;
  std::vector<std::uint64_t> ends;  // of each commit
};

/// A segment as the writer makes it, one commit for each list of events.
Written write_segment(const std::vector<std::vector<std::string>>& commits) {
  const auto path = fresh_path();
  auto writer = SegmentWriter::create(path);
  Written written{.commits = commits};
  for (const auto& events : commits) {
    std::string lines;
    for (const auto& event : events) lines += event + "\n";
    EXPECT_TRUE(writer->commit(lines, events.size()));
    written.ends.push_back(writer->size_bytes());
  }
  written.bytes = *read_file(path, 1 << 20);
  return written;
}

struct Found {
  std::vector<std::string> events;
  std::vector<Damage> damage;
  std::vector<Damage> suspects;
  std::uint64_t torn_bytes = 0;
};

Found read_bytes(std::string_view bytes) {
  const auto path = fresh_path();
  EXPECT_TRUE(write_file_durably(path, bytes));
  auto reader = SegmentReader::open(path);
  Found found;
  while (auto commit = *reader->next_commit()) {
    for (auto lines = commit->lines; !lines.empty();) {
      const auto end = lines.find('\n');
      found.events.emplace_back(lines.substr(0, end));
      lines.remove_prefix(end + 1);
    }
  }
  found.damage = reader->damage();
  found.suspects = reader->suspects();
  found.torn_bytes = reader->torn_bytes();
  std::filesystem::remove(path);
  return found;
}

const Written& sample() {
  static const auto written =
      write_segment({{"alpha", "beta"}, {"gamma"}, {"delta", "epsilon"}, {"zeta"}});
  return written;
}

// A crash can cut the file at any byte. Wherever it does, exactly the events of whole commits come
// back, and every byte of what follows is counted.
TEST(SegmentReader, DeliversExactlyTheCommittedEventsWhereverTheFileIsCut) {
  for (std::size_t cut = 0; cut <= sample().bytes.size(); ++cut) {
    SCOPED_TRACE(cut);
    std::vector<std::string> expected;
    std::uint64_t last_end = 0;
    for (std::size_t i = 0; i < sample().ends.size() && sample().ends[i] <= cut; ++i) {
      expected.insert(expected.end(), sample().commits[i].begin(), sample().commits[i].end());
      last_end = sample().ends[i];
    }
    const auto found = read_bytes(sample().bytes.substr(0, cut));
    EXPECT_EQ(found.events, expected);
    EXPECT_EQ(found.torn_bytes, cut - last_end);
    EXPECT_TRUE(found.damage.empty());
    EXPECT_TRUE(found.suspects.empty());
  }
}

TEST(SegmentReader, NeverDeliversAChangedCommitAndNamesItsPlace) {
  for (std::size_t at = 0; at < sample().ends[1]; ++at) {
    SCOPED_TRACE(at);
    auto bytes = sample().bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    const auto found = read_bytes(bytes);
    const bool first = at < sample().ends[0];
    // A bit that made a commit line or the newline before it unrecognisable spoils two commits:
    // still one damaged place.
    ASSERT_EQ(found.damage.size(), 1U);
    EXPECT_EQ(found.damage[0].offset, first ? 0U : sample().ends[0]);
    EXPECT_THAT(found.events, testing::Contains("zeta"));
    EXPECT_THAT(found.events, testing::Not(testing::Contains(first ? "alpha" : "gamma")));
  }
}

TEST(SegmentReader, SuspectsAWholeLastCommitThatIsNotAsItsLineSays) {
  auto bytes = sample().bytes;
  bytes[sample().ends[2]] = '\0';
  const auto found = read_bytes(bytes);
  EXPECT_THAT(found.events, testing::ElementsAre("alpha", "beta", "gamma", "delta", "epsilon"));
  EXPECT_TRUE(found.damage.empty());
  ASSERT_EQ(found.suspects.size(), 1U);
  EXPECT_EQ(found.suspects[0].offset, sample().ends[2]);
  EXPECT_EQ(found.torn_bytes, bytes.size() - sample().ends[2]);
}

// The commit after a spoiled commit line is as good as it was.
TEST(SegmentReader, DeliversTheCommitAfterASpoiledCommitLine) {
  auto bytes = sample().bytes;
  bytes[sample().ends[0] - 2] = 'x';
  const auto found = read_bytes(bytes);
  EXPECT_THAT(found.events, testing::ElementsAre("gamma", "delta", "epsilon", "zeta"));
  ASSERT_EQ(found.damage.size(), 1U);
  EXPECT_EQ(found.damage[0].offset, 0U);
  EXPECT_EQ(found.damage[0].size, sample().ends[0]);
}

// A byte of the padding that changed is found like any other.
TEST(SegmentReader, FindsAChangedPadding) {
  const auto path = fresh_path();
  {
    auto writer = SegmentWriter::create(path, local_files(), 1);
    ASSERT_TRUE(writer->commit("padded\n", 1));
    ASSERT_TRUE(writer->commit("next\n", 1));
  }
  auto bytes = *read_file(path, 1 << 20);
  ASSERT_EQ(bytes[kDirectAlignment - 100], ' ');
  EXPECT_THAT(read_bytes(bytes).events, testing::ElementsAre("padded", "next"));
  bytes[kDirectAlignment - 100] = '\t';
  const auto found = read_bytes(bytes);
  EXPECT_THAT(found.events, testing::ElementsAre("next"));
  ASSERT_EQ(found.damage.size(), 1U);
  EXPECT_EQ(found.damage[0].size, kDirectAlignment);
}

TEST(SegmentReader, GoesOnWhenTheFileHasGrown) {
  const auto path = fresh_path();
  auto writer = SegmentWriter::create(path);
  auto reader = SegmentReader::open(path);
  EXPECT_FALSE(*reader->next_commit());
  for (const char* event : {"one\n", "two\n"}) {
    std::string lines = event;
    ASSERT_TRUE(writer->commit(lines, 1));
    const auto commit = reader->next_commit();
    ASSERT_TRUE(commit && *commit);
    EXPECT_EQ((*commit)->lines, event);
    EXPECT_FALSE(*reader->next_commit());
  }
}

TEST(SegmentWriter, RefusesACommitOverItsLimit) {
  auto writer = SegmentWriter::create(fresh_path());
  std::string lines(kMaxCommitBytes + 1, 'x');
  EXPECT_EQ(writer->commit(lines, 1).error().code, ErrorCode::kInvalidInput);
  lines = "small\n";
  EXPECT_TRUE(writer->commit(lines, 1));
}

/// Counts the direct writes that are possible.
class DirectWrites final : public TroubledFiles {
 public:
  int made = 0;

  int set_direct(int file, bool direct) override {
    const int result = TroubledFiles::set_direct(file, direct);
    if (direct && result == 0) ++made;
    return result;
  }
};

TEST(SegmentWriter, WritesLargeCommitsPastThePageCacheOnceTheyCanBeginAtABlock) {
  DirectWrites files;
  for (const bool refused : {false, true}) {
    SCOPED_TRACE(refused);
    files.refuses_direct = refused;
    files.made = 0;
    const auto path = fresh_path();
    auto writer = SegmentWriter::create(path, files, 1000);
    const std::string small = "small\n", large = std::string(5000, 'x') + "\n";
    std::string expected;
    for (const auto& lines : {large, small, large, large, small, small, large}) {
      expected += lines;
      ASSERT_TRUE(writer->commit(lines, 1));
      EXPECT_EQ(writer->size_bytes(), std::filesystem::file_size(path));
      EXPECT_EQ(writer->size_bytes() % kDirectAlignment == 0, lines == large);
    }
    EXPECT_EQ(files.made, refused ? 0 : 2);  // the first and the fourth
    std::string read;
    auto reader = SegmentReader::open(path);
    while (const auto commit = *reader->next_commit()) read += commit->lines;
    EXPECT_EQ(read, expected);
  }
}

TEST(SegmentWriter, LocksItsSegmentUntilItIsGone) {
  const auto path = fresh_path();
  {
    auto writer = SegmentWriter::create(path);
    EXPECT_FALSE(*File::open_to_read(path)->try_lock());
  }
  EXPECT_TRUE(*File::open_to_read(path)->try_lock());
}

}  // namespace
}  // namespace weir::log
