#include "project/sequence.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

namespace weir::project {
namespace {

TEST(Sequence, TakesEachNumberOnceInWhateverOrder) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Sequence sequence{.next = 1};
    std::set<std::int64_t> taken;
    std::int64_t highest = 0;
    for (int i = 0; i < 60; ++i) {
      const auto number = static_cast<std::int64_t>(1 + random() % 30);
      highest = std::max(highest, number);
      ASSERT_EQ(sequence.take(number, {}), taken.insert(number).second);
      ASSERT_EQ(sequence.has_holes(), taken.size() < static_cast<std::size_t>(highest));
    }
  }
}

TEST(Sequence, SaysWhatIsMissing) {
  Sequence sequence{.next = 1};
  EXPECT_EQ(sequence.missing(), "");
  for (const auto number : {2, 6}) sequence.take(number, {});
  EXPECT_EQ(sequence.missing(), "events 1, 3 to 5 are missing");
  for (const auto number : {8, 10, 12}) sequence.take(number, {});
  EXPECT_EQ(sequence.missing(), "events 1, 3 to 5, 7 and more are missing");
}

TEST(Sequence, CountsTheHolesForWhichThereIsNoRoom) {
  Sequence sequence{.next = 1};
  const auto holes = static_cast<std::int64_t>(Sequence::kMaxHoles);
  for (std::int64_t i = 1; i <= holes + 1; ++i) sequence.take(2 * i, {});
  EXPECT_EQ(sequence.holes.size(), Sequence::kMaxHoles);
  for (std::int64_t i = 0; i <= holes; ++i) sequence.take(2 * i + 1, {});
  EXPECT_TRUE(sequence.holes.empty());
  EXPECT_TRUE(sequence.has_holes());
}

TEST(Sequence, KnowsSinceWhenNumbersAreMissing) {
  const auto at = [](int second) { return Timestamp(std::chrono::seconds(second)); };
  Sequence sequence{.next = 1};
  sequence.take(4, at(10));
  sequence.take(9, at(20));
  sequence.take(2, at(30));  // what is left of the first hole is as old as it was
  EXPECT_TRUE(sequence.open_since(at(9)).empty());
  const auto open = sequence.open_since(at(10));
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(Sequence::numbers(open), "1, 3");
  EXPECT_EQ(Sequence::numbers(sequence.open_since(at(20))), "1, 3, 5 to 8");
}

TEST(Sequence, ReachesTheLastNumberThereIs) {
  Sequence sequence{.next = 1};
  EXPECT_TRUE(sequence.take(std::numeric_limits<std::int64_t>::max(), {}));
  EXPECT_TRUE(sequence.take(5, {}));
}

}  // namespace
}  // namespace weir::project
