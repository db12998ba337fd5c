#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "tool/plugin_testing.h"
#include "tool/protections.h"
#include "tool/system_calls.h"

namespace weir::tool {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

enum class User : std::uint8_t { kOurs, kNobody };

/// What a plugin that nobody trusts is kept from, as the user who runs the tests and, if that is
/// root, as one who is not.
class Confined : public PluginTest, public testing::WithParamInterface<User> {
 protected:
  void SetUp() override {
    if (GetParam() == User::kNobody && ::getuid() != 0) GTEST_SKIP() << "the tests run as a user";
    const auto able = check_protections(config::Trust::kUntrusted, protections());
    if (!able) GTEST_SKIP() << able.error().message;
    if (GetParam() == User::kNobody) {
      const auto can =
          as_nobody([] { return std::string(::access(WEIR_PROGRAM, X_OK) == 0 ? "yes" : "no"); });
      if (can != "yes") GTEST_SKIP() << "nobody may not read " << WEIR_PROGRAM;
    }
  }

  /// How the call of a script ended, and what it wrote to standard error.
  std::string run(const std::string& script, const std::string& limits = "time: 20s") {
    const auto plugin = shell(script, limits);
    const auto work = [&] {
      log_.clear();
      const auto host = make_host(plugin);
      const auto output = call(*host);
      const auto category = output ? "" : output.error().category;
      return said(output).append("\n").append(category).append("\n").append(log_);
    };
    return GetParam() == User::kNobody ? as_nobody(work) : work();
  }
};

INSTANTIATE_TEST_SUITE_P(As, Confined, testing::Values(User::kOurs, User::kNobody),
                         [](const auto& user) {
                           return user.param == User::kNobody ? "Nobody" : "OurUser";
                         });

TEST_P(Confined, WorksWithWhatItHas) {
  EXPECT_THAT(run("printf '{\"in\": %s, \"tool\": \"%s\"}' \"$(cat)\" \"$WEIR_TOOL_ID\"; "
                  "echo hi > $TMPDIR/f && cat $TMPDIR/f >&2"),
              StartsWith("{\"in\":{},\"tool\":\"t\"}\n\nhi\n"));
}

/// A file that everybody may read, in a folder of its own.
class Outside {
 public:
  Outside() : folder_(testing::TempDir() + "outside-" + std::to_string(random_bits())) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    std::ofstream(file()) << "secret";
    std::filesystem::permissions(file(), std::filesystem::perms(0666));
  }
  ~Outside() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string file() const { return folder_ + "/file"; }

 private:
  std::string folder_;
};

/// Where the kernel tells of the files that a plugin opens.
std::string violation(const std::string& message) {
  return can_tell_calls() ? "POLICY_DENIED: " + message : "ProcessExited: ";
}

TEST_P(Confined, CannotReadWhatIsNotItsOwn) {
  const Outside outside;
  const auto forbidden =
      violation("it opened '" + outside.file() + "', a file that it may not have");
  EXPECT_THAT(run("cat " + outside.file()), AllOf(StartsWith(forbidden), Not(HasSubstr("secret"))));
  // Also if it does as if nothing had been, opens it by another name, or has a child do it.
  EXPECT_THAT(run("cat " + outside.file() + " || echo '{}'; sleep 9"), StartsWith(forbidden));
  EXPECT_THAT(run("ln -s " + outside.file() + " $TMPDIR/l; cat $TMPDIR/l"), StartsWith(forbidden));
  EXPECT_THAT(run("sh -c '(cat " + outside.file() + ") & wait'; exit 1"), StartsWith(forbidden));
  EXPECT_THAT(run("echo x >> " + outside.file()), StartsWith(forbidden));
  EXPECT_EQ(std::filesystem::file_size(outside.file()), 6U);
}

TEST_P(Confined, FailsForAFileThatItIsRefusedAndNeeds) {
  const auto passwd = violation("it failed after it had opened '/etc/passwd'");
  EXPECT_THAT(run("cat /etc/passwd"), AllOf(StartsWith(passwd), Not(HasSubstr("root:"))));
  EXPECT_THAT(run("cat ../none; cat /etc/hostname; exit 4"), StartsWith("ProcessExited: "));
  const auto above = testing::TempDir() + "above-" + std::to_string(random_bits());
  std::ofstream(above) << "secret";
  EXPECT_THAT(run("cat " + above + "; exit 1"),
              AllOf(StartsWith(violation("it failed after")), Not(HasSubstr("secret"))));
  // Who can do without it is only told of.
  EXPECT_THAT(run("cat " + above + " || true"), StartsWith("{}\n"));
  if (can_tell_calls()) {
    EXPECT_THAT(run("cat " + above + " || true"), HasSubstr("was refused: '" + above + "'"));
  }
  std::filesystem::remove(above);
}

TEST_P(Confined, CannotReadWhatOthersKeepToThemselvesWhateverItMakesOfIt) {
  if (!can_tell_calls()) return;
  for (const auto* file : {"/etc/shadow", "/proc/1/environ"}) {
    EXPECT_THAT(run(std::string("cat ") + file + " 2>/dev/null || true; echo '{}'; sleep 9"),
                StartsWith(violation(std::string("it opened '") + file +
                                     "', a file that it may not have")));
  }
}

TEST_P(Confined, CannotWriteItsOwnFolder) {
  EXPECT_THAT(run("echo x > new; rm run.sh"), StartsWith("ProcessExited: "));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run.sh"));
}

TEST_P(Confined, LeavesNothingInTheTemporaryFolder) {
  const auto said = run("echo x > $TMPDIR/f; echo $TMPDIR >&2");
  const auto folder = said.substr(4, said.find('\n', 4) - 4);
  ASSERT_THAT(folder, HasSubstr("/weir-plugin-"));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_P(Confined, SeesNoVariableAndNoOpenFileOfOurs) {
  ::setenv("WEIR_TEST_SECRET", "hidden", 1);
  const int open = ::dup(0);  // without close-on-exec
  // Of four one is the folder that ls reads.
  EXPECT_THAT(run("env >&2; exec ls /proc/self/fd >&2"),
              AllOf(Not(HasSubstr("hidden")), HasSubstr("WEIR_RUN_ID=r\n"),
                    testing::EndsWith("\n0\n1\n2\n3\n")));
  ::close(open);
  ::unsetenv("WEIR_TEST_SECRET");
}

TEST_P(Confined, IsNotRoot) { EXPECT_THAT(run("id -u >&2"), Not(HasSubstr("\n0\n"))); }

TEST_P(Confined, CannotOpenASocket) {
  for (const auto* script : {"exec perl -e 'socket(my $s, 2, 1, 0); print STDERR qq(open\\n)'",
                             "perl -e 'socket(my $s, 10, 2, 0); print STDERR qq(open\\n)'",
                             // Of a child whose end nobody looks at.
                             "perl -e 'socket(my $s, 2, 1, 0); print STDERR qq(open\\n)'; echo {}",
                             "(perl -e 'socket(my $s, 2, 1, 0)' &) ; sleep 1; echo {}"}) {
    EXPECT_THAT(run(script), AllOf(StartsWith("POLICY_DENIED: it made a system call"),
                                   HasSubstr("\nPLUGIN_SANDBOX\n"), Not(HasSubstr("open\n"))));
  }
  // A local one fails, as the C library's name service expects.
  EXPECT_THAT(run("perl -e 'socket(my $s, 1, 1, 0) or print STDERR qq(no: $!\\n)'"),
              StartsWith("{}\n\nno: Permission denied"));
}

TEST_P(Confined, CannotTouchOtherProcessesOrMounts) {
  const auto system_call = [](int number, const std::string& words) {
    return "exec perl -e 'syscall(" + std::to_string(number) + words + ")'";
  };
#ifdef __x86_64__
  EXPECT_THAT(run(system_call(101, ", 16, getppid(), 0, 0")),
              StartsWith("POLICY_DENIED"));                                         // ptrace
  EXPECT_THAT(run(system_call(272, ", 0x10000000")), StartsWith("POLICY_DENIED"));  // unshare
  EXPECT_THAT(run(system_call(165, ", 0, 0, 0, 0, 0")), HasSubstr("may not make: mount"));
#endif
  EXPECT_THAT(run("kill -9 $PPID; kill -9 " + std::to_string(::getpid())),
              StartsWith("ProcessExited: "));
}

TEST_P(Confined, CannotForkWithoutEnd) {
  // A shell would give up at the first that it cannot have, perhaps before anybody has counted.
  EXPECT_THAT(
      run("exec perl -e 'while (1) { my $p = fork; if (defined $p && !$p) { sleep 9; exit } }'",
          "time: 20s, processes: 12"),
      AllOf(StartsWith("POLICY_DENIED: it was more than 12 processes at once"),
            HasSubstr("PLUGIN_SANDBOX")));
}

TEST_P(Confined, CannotAllocateWithoutEnd) {
  EXPECT_THAT(run("exec perl -e '$x .= q(x) x 1000000 while 1'", "time: 20s, memory: 64MiB"),
              AllOf(StartsWith("OOM: it had "), HasSubstr("of memory, its limit is 64 MiB"),
                    HasSubstr("PLUGIN_SANDBOX")));
  // Together they have too much.
  EXPECT_THAT(run("for i in 1 2 3 4; do perl -e '$x = q(x) x 30000000; sleep 9' & done; wait",
                  "time: 20s, memory: 64MiB"),
              StartsWith("OOM: "));
}

TEST_P(Confined, CannotPrintWithoutEnd) {
  EXPECT_THAT(run("exec yes", "time: 20s, output: 64KiB"),
              AllOf(StartsWith("OUTPUT_LIMIT: it printed more than 65536 bytes"),
                    HasSubstr("PLUGIN_SANDBOX")));
  EXPECT_THAT(run("exec yes >&2", "time: 20s, output: 2kB"), StartsWith("OUTPUT_LIMIT: "));
}

TEST_P(Confined, CannotHang) {
  EXPECT_THAT(
      run("exec sleep 60", "time: 200ms"),
      AllOf(StartsWith("TIMEOUT: it took longer than 200 ms"), HasSubstr("PLUGIN_SANDBOX")));
  EXPECT_THAT(run("trap '' TERM; while :; do sleep 60; done", "time: 200ms"),
              StartsWith("TIMEOUT: "));
}

TEST_P(Confined, CannotComputeWithoutEnd) {
  EXPECT_THAT(run("while :; do :; done", "time: 60s, cpu: 200ms"),
              AllOf(StartsWith("CPU_LIMIT: it used more processor time than its limit of 200 ms"),
                    HasSubstr("PLUGIN_SANDBOX")));
}

/// Whether there is a process whose command line holds `word`.
bool is_running(const std::string& word) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto command = read_file(entry.path() / "cmdline", 1 << 20);
    if (command && command->contains(word)) return true;
  }
  return false;
}

TEST_P(Confined, CannotLeaveAnythingBehind) {
  const auto seconds = "60." + std::to_string(random_bits());
  EXPECT_THAT(run("sleep " + seconds + " & setsid sleep " + seconds + " & sleep 0.2"),
              StartsWith("{}\n"));
  EXPECT_FALSE(is_running(seconds));
}

// ---- what is refused, and what others may

TEST(Protections, AreNeededByAllWhoAreNotTrusted) {
  std::vector<Protection> some = {
      {.name = "files", .available = true, .mechanism = "Landlock"},
      {.name = "network", .available = false, .mechanism = "no seccomp"}};
  EXPECT_TRUE(check_protections(config::Trust::kTrusted, some));
  for (const auto tier : {config::Trust::kPartner, config::Trust::kUntrusted}) {
    const auto checked = check_protections(tier, some);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, HasSubstr("does not have: network (no seccomp). If you"));
  }
  some[1].available = true;
  EXPECT_TRUE(check_protections(config::Trust::kUntrusted, some));
}

TEST(Protections, AreTold) {
  for (const auto& one : protections()) {
    std::cout << one.name << ": " << (one.available ? "by " : "no: ") << one.mechanism << '\n';
    EXPECT_FALSE(one.mechanism.empty()) << one.name;
  }
}

}  // namespace
}  // namespace weir::tool
