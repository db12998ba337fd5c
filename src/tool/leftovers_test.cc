#include "tool/leftovers.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "base/id.h"
#include "base/time.h"

namespace weir::tool {
namespace {

/// A shell starts a process that goes on when it has ended, with this variable, and says its
/// number.
pid_t leave_process(const std::string& variable) {
  const auto command = variable + " sh -c 'echo $$; exec sleep 600 >/dev/null' &";
  auto* const shell = ::popen(command.c_str(), "r");
  int process = 0;
  EXPECT_EQ(std::fscanf(shell, "%d", &process), 1);
  EXPECT_EQ(::pclose(shell), 0);
  return process;
}

TEST(Leftovers, AreEndedByTheRunThatTheyNameAndNoOthers) {
  const auto run = RunId::make(system_clock().now()).text();
  leave_process("WEIR_RUN_ID=" + run);
  const auto another = leave_process("NOT_WEIR_RUN_ID=" + run);
  EXPECT_EQ(end_leftovers(RunId::make(system_clock().now()).text()), 0U);
  EXPECT_EQ(end_leftovers(run), 1U);
  EXPECT_EQ(end_leftovers(run), 0U);
  EXPECT_EQ(::kill(another, SIGKILL), 0) << "it still runs";
}

}  // namespace
}  // namespace weir::tool
