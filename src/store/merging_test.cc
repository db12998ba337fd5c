#include "store/merging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<MergeRange> ranges_of(const std::vector<std::uint64_t>& sizes) {
  std::vector<MergeRange> ranges;
  for (const auto size : sizes) ranges.push_back({.bytes = size, .parts = {log::Part()}});
  return ranges;
}

const MergeLimits kLimits{.small_bytes = 32, .most_bytes = 100, .fewest = 4};

TEST(Merging, TakesSmallBatchesThatFollowEachOther) {
  EXPECT_THAT(merges(ranges_of({1, 1, 1}), kLimits), IsEmpty());
  EXPECT_THAT(merges(ranges_of({1, 1, 1, 1}), kLimits), ElementsAre(Pair(0, 4)));
  EXPECT_THAT(merges(ranges_of({32, 1, 1, 1, 1, 50, 1, 1}), kLimits), ElementsAre(Pair(1, 5)));
  EXPECT_THAT(merges(ranges_of(std::vector<std::uint64_t>(8, 25)), kLimits),
              ElementsAre(Pair(0, 4), Pair(4, 8)));
}

TEST(Merging, WritesNothingAnewForLittle) {
  EXPECT_THAT(merges(ranges_of({30, 1, 1, 1}), kLimits), IsEmpty());
  EXPECT_THAT(merges(ranges_of({30, 1, 1, 1, 1}), kLimits), ElementsAre(Pair(1, 5)));
  EXPECT_THAT(merges(ranges_of({30, 10, 10, 10}), kLimits), ElementsAre(Pair(0, 4)));
}

TEST(Merging, GoesOverNoBatchThatMustStay) {
  auto ranges = ranges_of({1, 1, 1, 1, 1, 1, 1});
  ranges[2].may_merge = false;
  EXPECT_THAT(merges(ranges, kLimits), ElementsAre(Pair(3, 7)));
}

}  // namespace
}  // namespace weir::store
