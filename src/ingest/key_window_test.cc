#include "ingest/key_window.h"

#include <gtest/gtest.h>

namespace weir::ingest {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Timestamp kNoon{hours(12)};

EventKey key_of(int i) { return EventKey::of("acme", RunId{}, "key-" + std::to_string(i)); }

TEST(EventKey, IsOfTenantRunAndTextApart) {
  const RunId run{.bytes = {1}};
  const auto key = EventKey::of("acme", run, "k");
  EXPECT_EQ(EventKey::of("acme", run, "k"), key);
  EXPECT_NE(EventKey::of("acmek", run, ""), key);
  EXPECT_NE(EventKey::of("acm", run, "ek"), key);
  EXPECT_NE(EventKey::of("acme", RunId{}, "k"), key);
  EXPECT_NE(EventKey::of("acme", run, "k\0"),
            EventKey::of("acme", run, std::string_view("k\0", 2)));
  EXPECT_NE(EventKey::of("", run, "12345678"), EventKey::of("12345678", run, ""));
}

TEST(KeyWindow, KnowsAKeyForADay) {
  KeyWindow window;
  EXPECT_TRUE(window.add(key_of(1), kNoon));
  EXPECT_FALSE(window.add(key_of(1), kNoon + hours(24)));
  EXPECT_TRUE(window.add(key_of(1), kNoon + hours(24) + seconds(1)));
  EXPECT_EQ(window.size(), 1U);
}

TEST(KeyWindow, ForgetsTheOldestWhenItIsFull) {
  KeyWindow window(3);
  for (const int i : {1, 2, 3, 4}) EXPECT_TRUE(window.add(key_of(i), kNoon + seconds(i)));
  EXPECT_EQ(window.size(), 3U);
  EXPECT_EQ(window.age(kNoon + seconds(10)), seconds(8));
  EXPECT_FALSE(window.add(key_of(2), kNoon + seconds(10)));
  EXPECT_TRUE(window.add(key_of(1), kNoon + seconds(10)));
}

TEST(KeyWindow, IsTheSameWhetherItExpectsItsKeysOrNot) {
  KeyWindow expecting(100), other(100);
  for (int i = 0; i < 1000; ++i) {
    expecting.expect(key_of(i % 150 + static_cast<int>(KeyWindow::kAhead)));
    EXPECT_EQ(expecting.add(key_of(i % 150), kNoon), other.add(key_of(i % 150), kNoon)) << i;
    EXPECT_EQ(expecting.size(), other.size());
  }
}

TEST(KeyWindow, TakesBackTheNewest) {
  KeyWindow window;
  for (const int i : {1, 2, 3}) window.add(key_of(i), kNoon);
  window.forget_newest(2);
  EXPECT_FALSE(window.add(key_of(1), kNoon));
  EXPECT_TRUE(window.add(key_of(2), kNoon));
  window.forget_newest(100);
  EXPECT_EQ(window.size(), 0U);
}

}  // namespace
}  // namespace weir::ingest
