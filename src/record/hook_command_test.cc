#include "record/hook_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/descriptor.h"
#include "base/id.h"

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

/// Where a script says that it has begun: a pipe with a name, in a folder of its own.
class Announcement {
 public:
  Announcement() {
    std::filesystem::create_directory(folder_);
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    // To write too, so that opening does not wait for the script.
    pipe_ = Descriptor(::open(path().c_str(), O_RDWR | O_CLOEXEC));
  }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  ~Announcement() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return folder_ / "begun"; }
  /// The number that the script wrote; 0 if it did not come.
  [[nodiscard]] pid_t wait() const {
    pollfd ready{pipe_.number(), POLLIN, 0};
    if (::poll(&ready, 1, std::chrono::milliseconds(kLong).count()) != 1) return 0;
    char text[32];
    const auto size = ::read(pipe_.number(), text, sizeof text);
    pid_t number = 0;
    if (size > 0) std::from_chars(text, text + size, number);
    return number;
  }

 private:
  std::filesystem::path folder_ = testing::TempDir() + "begun-" + std::to_string(random_bits());
  Descriptor pipe_;
};

/// Zombies are dead: they wait for whoever inherits them to look.
bool is_alive(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number, name, state;
  return static_cast<bool>(file >> number >> name >> state) && state != "Z";
}

// The shell's child holds standard error open and gives its number; it must die with the group.
TEST(HookCommand, KillsTheWholeGroupWhenAskedToStop) {
  const Announcement begun;
  std::stop_source stop;
  pid_t child = 0;
  std::jthread asker([&] {
    child = begun.wait();
    stop.request_stop();
  });
  const auto end =
      run_shell("sleep 1000 & echo $! > " + begun.path() + "; wait", "", kLong, stop.get_token());
  asker.join();
  EXPECT_TRUE(end.stopped);
  EXPECT_FALSE(end.timed_out);
  EXPECT_EQ(end.signal, SIGKILL);
  ASSERT_GT(child, 0);
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (is_alive(child) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(is_alive(child));
}

TEST(HookCommand, IsKilledAtItsTimeout) {
  const auto end = run_shell("sleep 1000 & wait", "", 20ms);
  EXPECT_TRUE(end.timed_out);
  EXPECT_FALSE(end.stopped);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(HookCommand, DoesNotWaitForWhatItLeftBehind) {
  const auto end = run_shell("sleep 1000 & exit 5");
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_FALSE(end.timed_out);
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
