#include "ingest/key_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <utility>

namespace weir::ingest {
namespace {

TEST(KeySet, HasEachKeyOnce) {
  KeySet set;
  const EventKey key{.high = 1, .low = 2};
  set.prefetch(key);
  set.erase(key);
  EXPECT_TRUE(set.insert(key));
  EXPECT_FALSE(set.insert(key));
  EXPECT_TRUE(set.insert({.high = 2, .low = 2}));
  EXPECT_EQ(set.size(), 2U);
  set.erase({.high = 3, .low = 2});
  EXPECT_EQ(set.size(), 2U);
  set.erase(key);
  EXPECT_EQ(set.size(), 1U);
  EXPECT_TRUE(set.insert(key));
}

// Keys of few slots, so that many stand in another's place and over the end of their part.
TEST(KeySet, IsASetWhateverIsPutInAndTakenOut) {
  std::mt19937_64 random(7);
  KeySet set;
  std::set<std::pair<std::uint64_t, std::uint64_t>> expected;
  for (int i = 0; i < 200'000; ++i) {
    const auto part = std::uint64_t{random() % 2} << 63;
    const auto slot = 0xFFFF - random() % 40;
    const EventKey key{.high = random() % 20, .low = part | slot};
    set.prefetch(key);
    if (random() % 2 == 0) {
      ASSERT_EQ(set.insert(key), expected.emplace(key.high, key.low).second);
    } else {
      set.erase(key);
      expected.erase({key.high, key.low});
    }
    ASSERT_EQ(set.size(), expected.size());
  }
}

}  // namespace
}  // namespace weir::ingest
