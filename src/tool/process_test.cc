#include "tool/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "base/id.h"

namespace weir::tool {
namespace {

using testing::ElementsAre;

ProcessRequest shell(const std::string& script) { return {.command = {"/bin/sh", "-c", script}}; }

TEST(Process, CarriesInputOutputErrorsAndTheExitCode) {
  std::vector<std::string> lines;
  auto request = shell("cat; echo one >&2; printf two >&2; exit 3");
  request.input = "input";
  request.on_error_line = [&](std::string_view line, bool) { lines.emplace_back(line); };
  const auto result = run_process(request);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->output, "input");
  EXPECT_THAT(lines, ElementsAre("one", "two"));
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_TRUE(result->usage.cpu_ms);
}

TEST(Process, HasItsOwnMemoryAloneHoweverLargeThisOneIs) {
  constexpr std::int64_t kMuch = std::int64_t{200} << 20;
  const std::vector<char> ours(kMuch, 'x');
  const auto little = run_process({.command = {"true"}});
  ASSERT_TRUE(little);
  EXPECT_EQ(ours.back(), 'x');
  EXPECT_LT(little->usage.memory_bytes.value_or(kMuch), kMuch / 10);
  EXPECT_GT(little->usage.memory_bytes.value_or(0), 1 << 10);
  const auto much = run_process(shell("head -c 50000000 /dev/zero | tail -c 40000000 | wc -c"));
  ASSERT_TRUE(much);
  EXPECT_GT(much->usage.memory_bytes.value_or(0), 40'000'000);
}

TEST(Process, IsLookedForAsShellsDo) {
  const std::filesystem::path folder = testing::TempDir() + "path-" + std::to_string(random_bits());
  std::filesystem::create_directories(folder / "first" / "script");  // a folder is no program
  std::filesystem::create_directories(folder / "second");
  std::ofstream(folder / "second" / "script") << "echo \"said by the shell: $1\"\n";  // no #!
  std::ofstream(folder / "first" / "text") << "no program";
  std::filesystem::permissions(folder / "second" / "script", std::filesystem::perms::owner_all);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH",
           (folder / "none")
               .string()
               .append(":" + (folder / "first").string())
               .append(":" + (folder / "second").string())
               .c_str(),
           1);
  const auto script = run_process({.command = {"script", "x y"}});
  const auto text = run_process({.command = {"text"}});
  ::setenv("PATH", "", 1);
  ProcessRequest here{.command = {"script", "z"}};
  here.folder = folder / "second";
  const auto in_folder = run_process(here);
  ::setenv("PATH", before.c_str(), 1);
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->output, "said by the shell: x y\n");
  ASSERT_TRUE(in_folder) << in_folder.error().message;
  EXPECT_EQ(in_folder->output, "said by the shell: z\n");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kInvalidInput) << text.error().message;
}

TEST(Process, MayBeThisProgramAgain) {
  const auto result = run_process({.command = {"/proc/self/exe", "--gtest_list_tests"}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_THAT(result->output, testing::HasSubstr("MayBeThisProgramAgain"));
}

TEST(Process, IsFoundOnOurPathAndNotOnItsOwn) {
  ProcessRequest request{.command = {"true"}};
  request.environment.emplace_back("PATH", "/nowhere");
  const auto result = run_process(request);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->exit_code, 0);
}

TEST(Process, MovesMoreThanAPipeHoldsInBothDirections) {
  const std::string input(3 << 20, 'x');
  auto request = shell("cat");
  request.input = input;
  EXPECT_EQ(run_process(request)->output, input);
}

TEST(Process, DoesNotMindAProgramThatReadsNothing) {
  const std::string input(3 << 20, 'x');
  auto request = shell("exec 0<&-; sleep 0.1; echo done");
  request.input = input;
  const auto result = run_process(request);
  EXPECT_EQ(result->output, "done\n");
  EXPECT_EQ(result->exit_code, 0);
}

TEST(Process, SaysWhatCouldNotBeStarted) {
  const auto missing = run_process({.command = {"no-such-program-here"}});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("no-such-program-here"));
  auto request = shell("true");
  request.folder = "/no/such/folder";
  EXPECT_FALSE(run_process(request));
}

TEST(Process, TellsTheSignalThatEndedIt) {
  const auto result = run_process(shell("kill -SEGV $$"));
  EXPECT_EQ(result->signal, SIGSEGV);
  EXPECT_FALSE(result->exit_code);
}

TEST(Process, StopsAProgramThatPrintsTooMuch) {
  auto request = shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
  request.max_output_bytes = 1000;
  const auto result = run_process(request);
  EXPECT_TRUE(result->output_too_large);
  EXPECT_EQ(result->output.size(), 1000U);
}

TEST(Process, CutsLongLinesIntoPiecesAndLosesNothing) {
  std::vector<std::pair<std::size_t, bool>> pieces;
  auto request = shell("head -c 20000 /dev/zero | tr '\\0' x >&2; echo >&2; echo y >&2");
  request.on_error_line = [&](std::string_view line, bool continues) {
    pieces.emplace_back(line.size(), continues);
  };
  ASSERT_TRUE(run_process(request));
  using Piece = std::pair<std::size_t, bool>;
  EXPECT_THAT(pieces, ElementsAre(Piece{kMaxLogLine, true}, Piece{kMaxLogLine, true},
                                  Piece{20000 - 2 * kMaxLogLine, false}, Piece{1, false}));
}

TEST(Process, TellsTheLinesOfItsOutputAsTheyCome) {
  std::vector<std::string> lines;
  std::string marker = testing::TempDir() + "seen-" + std::to_string(random_bits());
  auto request = shell("echo one; echo two >&2; until [ -e " + marker +
                       " ]; do sleep 0.01; done; printf three");
  request.on_output_line = [&](std::string_view line, bool) {
    lines.push_back("out " + std::string(line));
  };
  request.on_error_line = [&](std::string_view line, bool) {
    lines.push_back("err " + std::string(line));
    std::ofstream{marker};  // it prints its last line only when the others were told
  };
  const auto result = run_process(request);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->output, "one\nthree");
  // Of the first two nobody knows which was read first.
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(std::ranges::count(lines, "out one"), 1);
  EXPECT_EQ(lines.back(), "out three");
}

TEST(Process, EndsTheWholeGroupWhenStopped) {
  const auto marker = testing::TempDir() + "marker-" + std::to_string(random_bits());
  std::stop_source stop;
  auto request = shell("(trap '' TERM; sleep 30; touch " + marker + ") & echo up >&2; wait");
  request.stop = stop.get_token();
  request.on_error_line = [&](std::string_view, bool) { stop.request_stop(); };
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_process(request);
  EXPECT_TRUE(result->stopped);
  EXPECT_EQ(result->signal, SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(25));
  EXPECT_FALSE(std::filesystem::exists(marker));
}

TEST(Process, DoesNotWaitForWhatItLeftBehind) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = run_process(shell("sleep 30 & echo done"));
  EXPECT_EQ(result->output, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(25));
  EXPECT_TRUE(result->output_held);
}

TEST(Process, MayLeaveBehindWhatDoesNotHoldItsOutput) {
  const auto result = run_process(shell("sleep 30 > /dev/null 2>&1 & echo done"));
  EXPECT_EQ(result->output, "done\n");
  EXPECT_FALSE(result->output_held);
}

}  // namespace
}  // namespace weir::tool
