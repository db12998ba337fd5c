#include "log/cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "base/troubled_files.h"
#include "log/follower_testing.h"

namespace weir::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::fresh_store;

constexpr const char* kFirst = "019b8a2f7c000123456789ab";
constexpr const char* kSecond = "019b8a2f7c01fedcba987654";

Cursor sample_cursor() {
  return {{{kFirst, {.segment = 3, .offset = 9120}}, {kSecond, {.segment = 1, .offset = 0}}}};
}

std::filesystem::path file_of(const StoreDirectory& store, const std::string& name) {
  return store.root() / "cursors" / (name + ".json");
}

// The worked example of docs/formats/cursor.md.
TEST(Cursor, IsWrittenAsItsFormatSays) {
  EXPECT_EQ(sample_cursor().text(),
            R"({"cursor":{"019b8a2f7c000123456789ab":{"segment":3,"offset":9120},)"
            R"("019b8a2f7c01fedcba987654":{"segment":1,"offset":0}},"crc32c":"ac1ce355"})");
}

TEST(Cursor, ReadsWhatItHasWritten) {
  auto with_batches = sample_cursor();
  with_batches.batches = 7;
  EXPECT_THAT(with_batches.text(), HasSubstr(R"(}},"batches":7,"crc32c":")"));
  for (const auto& cursor : {Cursor(), sample_cursor(), with_batches, Cursor{.batches = 1}}) {
    const auto read = Cursor::parse(cursor.text());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, cursor);
  }
}

TEST(Cursor, IsDamagedByEveryFlippedBitAndEveryCut) {
  const auto text = sample_cursor().text();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto changed = text;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      EXPECT_FALSE(Cursor::parse(changed)) << changed;
    }
    EXPECT_FALSE(Cursor::parse(text.substr(0, at)));
  }
  EXPECT_FALSE(Cursor::parse(text + "\n"));
}

TEST(Cursor, HoldsPlacesThatASegmentCanHaveOnly) {
  for (const Cursor& wrong : {Cursor{{{"nobody", {}}}}, Cursor{{{kFirst, {.segment = 0}}}}}) {
    EXPECT_EQ(Cursor::parse(wrong.text()).error().code, ErrorCode::kCorrupt);
  }
}

TEST(Cursor, SaysOfAWriterThatItDoesNotNameTheBeginning) {
  EXPECT_EQ(sample_cursor().of(kFirst), (Position{.segment = 3, .offset = 9120}));
  EXPECT_EQ(sample_cursor().of("019b8a2f7c02000000000000"), Position());
}

TEST(RegisteredCursor, IsKeptAndReplaced) {
  const auto store = fresh_store();
  ASSERT_TRUE(write_cursor(store, "metrics", Cursor()));
  ASSERT_TRUE(write_cursor(store, "metrics", sample_cursor()));
  const auto read = read_cursor(store, "metrics");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->cursor, sample_cursor());
  EXPECT_FALSE(read->restarted);
  EXPECT_THAT(*cursor_names(store), ElementsAre("metrics"));
  ASSERT_TRUE(remove_cursor(store, "metrics"));
  EXPECT_THAT(*cursor_names(store), IsEmpty());
  EXPECT_EQ(remove_cursor(store, "metrics").error().code, ErrorCode::kNotFound);
}

TEST(RegisteredCursor, BeginsAgainWhenItIsMissingOrDamagedAndSaysSo) {
  const auto store = fresh_store();
  EXPECT_THAT(*read_cursor(store, "metrics")->restarted, HasSubstr("no cursor is there"));
  ASSERT_TRUE(write_cursor(store, "metrics", sample_cursor()));
  const auto whole = *read_file(file_of(store, "metrics"), 1 << 20);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(write_file_durably(file_of(store, "metrics"), whole.substr(0, size)));
    const auto read = read_cursor(store, "metrics");
    ASSERT_TRUE(read && read->restarted) << size;
    EXPECT_THAT(*read->restarted, HasSubstr("metrics.json"));
    EXPECT_EQ(read->cursor, Cursor());
  }
}

TEST(RegisteredCursor, RefusesNamesThatAreNone) {
  const auto store = fresh_store();
  const std::string too_long(kMaxCursorName + 1, 'x');
  for (const std::string& name : {std::string(), std::string("../up"), std::string("Upper"),
                                  std::string("a.b"), std::string("a\0b", 3), too_long}) {
    EXPECT_EQ(write_cursor(store, name, {}).error().code, ErrorCode::kInvalidInput) << name;
    EXPECT_EQ(read_cursor(store, name).error().code, ErrorCode::kInvalidInput) << name;
    EXPECT_EQ(remove_cursor(store, name).error().code, ErrorCode::kInvalidInput) << name;
  }
}

TEST(RegisteredCursor, StaysAsItWasWhenTheDiskIsFull) {
  TroubledFiles files;
  const auto store = fresh_store(files);
  ASSERT_TRUE(write_cursor(store, "metrics", sample_cursor()));
  files.full = true;
  EXPECT_EQ(write_cursor(store, "metrics", Cursor()).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(read_cursor(store, "metrics")->cursor, sample_cursor());
  EXPECT_THAT(*cursor_names(store), ElementsAre("metrics"));
}

}  // namespace
}  // namespace weir::log
