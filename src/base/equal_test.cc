#include "base/equal.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

TEST(EqualShort, SeesADifferenceWhereverItIs) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(equal_short(text, std::string(size, 'x'))) << size;
    EXPECT_FALSE(equal_short(text, text + "x"));
    for (std::size_t at = 0; at < size; ++at) {
      auto other = text;
      other[at] = 'y';
      EXPECT_FALSE(equal_short(text, other)) << size << ' ' << at;
    }
  }
}

}  // namespace
}  // namespace weir
