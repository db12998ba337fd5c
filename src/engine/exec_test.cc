#include "engine/exec.h"

#include <gtest/gtest.h>

namespace weir::engine {
namespace {

TEST(MakeId, KeepsWhatAnIdMayHoldAndPutsAnUnderscoreForEachOtherCharacter) {
  EXPECT_EQ(make_id("back-up_2.sh"), "back-up_2.sh");
  EXPECT_EQ(make_id("nightly backup"), "nightly_backup");
  EXPECT_EQ(make_id("größe"), "gr__e");
  EXPECT_EQ(make_id("a/b\n\xff"), "a_b__");
}

TEST(MakeId, IsNeverEmptyAndNeverTooLong) {
  EXPECT_EQ(make_id(""), "exec");
  EXPECT_EQ(make_id("\x80"), "exec");
  EXPECT_EQ(make_id(std::string(1000, 'x')), std::string(128, 'x'));
}

}  // namespace
}  // namespace weir::engine
