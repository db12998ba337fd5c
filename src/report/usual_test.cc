#include "report/usual.h"

#include <gtest/gtest.h>

namespace weir::report {
namespace {

TEST(Usual, IsTheMedianAndTheMedianDistanceFromIt) {
  EXPECT_EQ(usual_of({}), std::nullopt);
  EXPECT_EQ(usual_of({7}), (Usual{.median = 7, .deviation = 0, .count = 1}));
  // Distances from 3: 2 1 0 1 97.
  EXPECT_EQ(usual_of({100, 1, 3, 2, 4}), (Usual{.median = 3, .deviation = 1, .count = 5}));
  // Distances from 2.5: 1.5 0.5 0.5 1.5.
  EXPECT_EQ(usual_of({4, 3, 2, 1}), (Usual{.median = 2.5, .deviation = 1, .count = 4}));
}

TEST(Usual, IsLeftByMoreThanThreeRobustDeviations) {
  const Usual usual{.median = 100, .deviation = 10, .count = 9};  // 3 × 14.826 = 44.478
  EXPECT_EQ(is_unusual(144, usual, 1), false);
  EXPECT_EQ(is_unusual(145, usual, 1), true);
  EXPECT_EQ(is_unusual(56, usual, 1), false);
  EXPECT_EQ(is_unusual(55, usual, 1), true);
}

TEST(Usual, OfValuesThatWereAllAlikeTakesTheSmallestDifferencesForNoise) {
  const Usual alike{.median = 100, .deviation = 0, .count = 9};
  EXPECT_EQ(is_unusual(106, alike, 1), false);
  EXPECT_EQ(is_unusual(107, alike, 1), true);
  EXPECT_EQ(is_unusual(107, alike, 10), false);
}

TEST(Usual, OfTooFewValuesDoesNotJudge) {
  EXPECT_EQ(is_unusual(900, {.median = 100, .deviation = 1, .count = kEnoughForNoise - 1}, 1),
            std::nullopt);
}

}  // namespace
}  // namespace weir::report
