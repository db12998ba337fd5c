#include "server/remote_command.h"

#include <gtest/gtest.h>

namespace weir::server {
namespace {

TEST(RemoteCommand, MayFollowHoweverTheOptionIsWritten) {
  EXPECT_TRUE(may_follow({"tail", "-f"}));
  EXPECT_TRUE(may_follow({"tail", "-n5", "--follow"}));
  EXPECT_TRUE(may_follow({"tail", "--follow=true"}));
  EXPECT_TRUE(may_follow({"logs", "last", "-jf"}));
  EXPECT_FALSE(may_follow({"tail", "-n", "5", "stage.failed"}));
  EXPECT_FALSE(may_follow({"logs", "last", "--level=INFO"}));
  EXPECT_FALSE(may_follow({"runs", "-f"}));
}

}  // namespace
}  // namespace weir::server
