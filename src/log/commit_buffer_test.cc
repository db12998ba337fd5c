#include "log/commit_buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/hash.h"

namespace weir::log {
namespace {

TEST(CommitBuffer, HasTheChecksumOfAllWheneverItWasSummedUp) {
  std::mt19937 random(3);
  CommitBuffer buffer, other;
  std::string all, all_of_other;
  for (int step = 0; step < 3000; ++step) {
    const std::string lines(random() % 3000, static_cast<char>('a' + random() % 26));
    buffer.append(lines);
    all += lines;
    if (random() % 3 == 0) buffer.sum_up();
    if (random() % 8 == 0) {
      buffer.swap(other);
      all.swap(all_of_other);
    }
    if (random() % 100 == 0) {
      buffer.clear();
      all.clear();
    }
    ASSERT_EQ(buffer.view(), all);
    ASSERT_EQ(buffer.checksum(), crc32c(all)) << "step " << step;
  }
}

TEST(CommitBuffer, BeginsWhereADiskCanTakeIt) {
  CommitBuffer buffer;
  buffer.append("line\n");
  const auto* const before = buffer.view().data();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(before) % kDirectAlignment, 0U);
  buffer.append(std::string(buffer.capacity(), 'x'));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.view().data()) % kDirectAlignment, 0U);
  EXPECT_TRUE(buffer.view().starts_with("line\nx"));
}

}  // namespace
}  // namespace weir::log
