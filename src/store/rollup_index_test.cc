#include "store/rollup_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Rollup rollup(std::uint64_t first, std::uint64_t last) {
  return {.batches = {.first = first, .last = last},
          .events = 61234,
          .minutes = {.rows = 812, .bytes = 23456, .crc32c = 0x0dbfd9e6},
          .hours = {.rows = 12, .bytes = 1234, .crc32c = 0xf0c3}};
}

TEST(RollupIndex, IsReadAsItWasWritten) {
  const Rollups rollups = {rollup(1, 9), rollup(10, 10)};
  const auto text = rollup_index_text(rollups);
  EXPECT_EQ(*parse_rollup_index(text), rollups);
  EXPECT_EQ(rollups[0].file_name(RollupLevel::kHours), "hours/00000001-00000009-0000f0c3.parquet");
}

TEST(RollupIndex, IsRefusedWithAnyByteChanged) {
  const auto text = rollup_index_text({rollup(1, 9), rollup(10, 10)});
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_rollup_index(changed)) << changed;
    EXPECT_FALSE(parse_rollup_index(text.substr(0, i)));
  }
}

TEST(RollupIndex, IsRefusedWhenABatchIsCoveredTwice) {
  EXPECT_FALSE(parse_rollup_index(rollup_index_text({rollup(1, 9), rollup(9, 10)})));
  EXPECT_FALSE(parse_rollup_index(rollup_index_text({rollup(3, 2)})));
}

TEST(RollupIndex, SaysThatANewerFormatIsOne) {
  auto text = rollup_index_text({});
  text.replace(text.find(R"("version":1)"), 11, R"("version":2)");
  EXPECT_EQ(parse_rollup_index(text).error().code, ErrorCode::kUnavailable);
}

TEST(Countable, IsWhatCoversAPartAsAWholeOrNotAtAll) {
  const std::vector<std::uint64_t> batches = {1, 2, 3, 5, 6, 9};
  const Rollups rollups = {rollup(1, 2), rollup(3, 4), rollup(6, 9)};
  // Of single batches all count.
  const std::vector<BatchRange> single = {{1, 1}, {2, 2}, {3, 3}, {5, 5}, {6, 6}, {9, 9}};
  EXPECT_EQ(countable(rollups, batches, single), rollups);
  // 4 is no batch: what covers 3 covers all of it.
  EXPECT_EQ(countable(rollups, batches, std::vector<BatchRange>{{3, 4}}), rollups);
  // 5 is not covered, so 3 must not be counted beside it.
  EXPECT_THAT(countable(rollups, batches, std::vector<BatchRange>{{3, 5}}),
              ElementsAre(rollup(1, 2), rollup(6, 9)));
  // And with it goes what holds 2, since a part has 2 and 3.
  EXPECT_THAT(countable(rollups, batches, std::vector<BatchRange>{{2, 3}, {5, 6}}),
              ElementsAre(rollup(1, 2), rollup(3, 4)));
  EXPECT_THAT(
      countable({rollup(1, 2), rollup(3, 3)}, batches, std::vector<BatchRange>{{2, 3}, {3, 5}}),
      IsEmpty());
}

}  // namespace
}  // namespace weir::store
