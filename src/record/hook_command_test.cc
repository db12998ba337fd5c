#include "record/hook_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <thread>

namespace weir::record {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;

constexpr auto kLong = 60s;

HookCommandEnd run_shell(std::string script, std::string_view input = "",
                         std::chrono::milliseconds timeout = kLong, std::stop_token stop = {}) {
  auto end = run_command({.command = {"sh", "-c", std::move(script)},
                          .input = input,
                          .timeout = timeout,
                          .stop = std::move(stop)});
  EXPECT_TRUE(end) << end.error().message;
  return end.value_or(HookCommandEnd{});
}

TEST(HookCommand, TellsHowItEnded) {
  EXPECT_EQ(run_shell("exit 0").exit_code, 0);
  EXPECT_EQ(run_shell("exit 7").exit_code, 7);
  const auto killed = run_shell("kill -TERM $$");
  EXPECT_EQ(killed.exit_code, std::nullopt);
  EXPECT_EQ(killed.signal, SIGTERM);
}

TEST(HookCommand, GivesAllOfTheInputAlsoToASlowReaderAndToNone) {
  const std::string input(std::size_t{3} << 20, 'x');
  EXPECT_EQ(run_shell("sleep 0.05; test $(wc -c) = 3145728", input).exit_code, 0);
  EXPECT_EQ(run_shell("exit 0", input).exit_code, 0);
}

TEST(HookCommand, KeepsTheEndOfWhatItSaidOnStandardError) {
  const auto end = run_shell("seq 1 100000 >&2; echo out");
  EXPECT_EQ(end.error_output.size(), kMaxErrorOutput);
  EXPECT_THAT(end.error_output, EndsWith("99999\n100000\n"));
}

// The shell's child holds standard error open and gives its number; it must die with the group.
TEST(HookCommand, KillsTheWholeGroupAtTheTimeout) {
  const auto end = run_shell("sleep 1000 & echo $! >&2; wait", "", 200ms);
  EXPECT_TRUE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
  pid_t child = 0;
  std::from_chars(end.error_output.data(), end.error_output.data() + end.error_output.size(),
                  child);
  ASSERT_GT(child, 0);
  // Dead at once, but a zombie until whoever inherits it looks.
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  const auto is_alive = [&] {
    std::string stat = "/proc/" + std::to_string(child) + "/stat";
    auto* file = std::fopen(stat.c_str(), "r");
    if (file == nullptr) return false;
    char state = 'Z';
    const int read = std::fscanf(file, "%*d (%*[^)]) %c", &state);
    std::fclose(file);
    return read == 1 && state != 'Z';
  };
  while (is_alive() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(is_alive());
}

TEST(HookCommand, DoesNotWaitForWhatItLeftBehind) {
  const auto end = run_shell("sleep 1000 & exit 5");
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_FALSE(end.timed_out);
}

TEST(HookCommand, IsKilledWhenAskedToStop) {
  std::stop_source stop;
  std::jthread asker([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  const auto end = run_shell("sleep 1000", "", kLong, stop.get_token());
  EXPECT_TRUE(end.stopped);
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(HookCommand, SaysWhenThereIsNoSuchProgram) {
  const auto end = run_command({.command = {"/no/such/program"}, .timeout = kLong});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kNotFound);
}

TEST(HookCommand, ReplacesVariablesOfTheEnvironment) {
  const auto end = run_command({.command = {"sh", "-c", "test \"$HOME$X\" = ab"},
                                .environment = {{"HOME", "a"}, {"X", "b"}},
                                .timeout = kLong});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
}

}  // namespace
}  // namespace weir::record
