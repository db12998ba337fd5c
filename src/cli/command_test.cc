#include "cli/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace weir::cli {
namespace {

TEST(Command, SaysWhatWasThrownAndFails) {
  Invocation invocation;
  invocation.action = []() -> int { throw std::runtime_error("no more threads"); };

  testing::internal::CaptureStderr();
  const int exit = act(invocation);

  EXPECT_EQ(exit, kStoreFailed);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "weir: no more threads\n");
}

}  // namespace
}  // namespace weir::cli
