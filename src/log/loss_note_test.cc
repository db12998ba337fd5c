#include "log/loss_note.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/troubled_files.h"

namespace weir::log {
namespace {

constexpr std::string_view kWriter = "019b8a2f7c000123456789ab";

class LossNotes : public testing::Test {
 protected:
  LossNotes() : store_(*StoreDirectory::create(folder_, files_)) {}
  ~LossNotes() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] bool is_there() const {
    return std::filesystem::exists(store_.run_locks() / (std::string(kWriter) + ".loss"));
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("loss-" + std::to_string(random_bits()));
  TroubledFiles files_;
  const StoreDirectory store_;
  const Loss loss_{
      .since = *parse_rfc3339("2026-01-05T03:00:00.000001Z"),
      .reason = "write \"x\": No space left on device",
      .events = 12,
      .runs = 2,
      .run_ids = {RunId::make(system_clock().now()), RunId::make(system_clock().now())}};
};

TEST_F(LossNotes, AreTakenByAFullDiskAndFoundByTheNext) {
  {
    auto note = LossNote::reserve(store_, kWriter);
    ASSERT_TRUE(note) << note.error().message;
    files_.full = true;
    ASSERT_TRUE(note->write({.since = loss_.since, .reason = "first", .events = 1, .runs = 1}));
    const auto written = note->write(loss_);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_TRUE(LossNote::left_behind(store_).empty());  // its recorder lives
  }
  for (int i = 0; i < 2; ++i) {  // it stays until somebody clears it
    const auto found = LossNote::left_behind(store_);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].second.since, loss_.since);
    EXPECT_EQ(found[0].second.reason, loss_.reason);
    EXPECT_EQ(found[0].second.events, 12U);
    EXPECT_EQ(found[0].second.runs, 2U);
    EXPECT_EQ(found[0].second.run_ids, loss_.run_ids);
    EXPECT_TRUE(LossNote::left_behind(store_).empty());  // it is ours
  }
  {
    auto found = LossNote::left_behind(store_);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found[0].first.clear());
  }
  EXPECT_FALSE(is_there());
}

TEST_F(LossNotes, ThatAreEmptyGo) {
  {
    auto note = LossNote::reserve(store_, kWriter);
    ASSERT_TRUE(note);
    ASSERT_TRUE(note->write(loss_));
    ASSERT_TRUE(note->clear());
    EXPECT_TRUE(is_there());
  }
  EXPECT_FALSE(is_there());
  std::filesystem::copy_file(folder_ / "VERSION",
                             store_.run_locks() / (std::string(kWriter) + ".loss"));
  EXPECT_TRUE(LossNote::left_behind(store_).empty());  // left by a crash, and no note
  EXPECT_FALSE(is_there());
}

TEST_F(LossNotes, HoldTheLongestReasonAndTheMostRuns) {
  auto loss = loss_;
  loss.reason = std::string(1000, '\x01');
  loss.run_ids.assign(100, loss_.run_ids[0]);
  loss.runs = loss.events = ~std::uint64_t{0} >> 1U;
  {
    auto note = LossNote::reserve(store_, kWriter);
    ASSERT_TRUE(note);
    ASSERT_TRUE(note->write(loss));
  }
  const auto found = LossNote::left_behind(store_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].second.run_ids.size(), Loss::kMaxNamed);
}

}  // namespace
}  // namespace weir::log
