#include <gmock/gmock.h>

#include "tool/plugin_testing.h"
#include "tool/protections.h"

namespace weir::tool {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// Warm plugins, trusted unless the test says otherwise: that needs nothing of the kernel.
class WarmHost : public PluginTest {
 protected:
  /// `answer` is what the shell does for each call, with its id in $id.
  std::unique_ptr<PluginHost> warm(const std::string& answer, const std::string& limits = "",
                                   config::Trust trust = config::Trust::kTrusted) {
    write_program(
        "run.sh",
        "#!/bin/sh\nreply() { printf '{\"jsonrpc\":\"2.0\",\"id\":%s,%s}\\n' \"$id\" "
        "\"$1\"; }\nwhile read -r line; do\n"
        "id=$(printf '%s' \"$line\" | sed -n 's/.*\"id\":\\([0-9]*\\),\"params\".*/\\1/p')\n"
        "[ -n \"$id\" ] || continue\n" +
            answer + "\ndone\n");
    return make_host(
        plugin("{id: p, version: '1', trust: trusted, kind: warm, command: [./run.sh], "
               "tools: {t: {}}, limits: {" +
                   limits + "}}",
               trust));
  }
};

TEST_F(WarmHost, KeepsItsProcessBetweenCalls) {
  const auto host = warm(R"(n=$((n + 1)); reply "\"result\":{\"output\":{\"n\":$n},\"rows\":7}")");
  EXPECT_EQ(said(call(*host)), R"({"n":1})");
  const auto second = call(*host);
  EXPECT_EQ(said(second), R"({"n":2})");
  EXPECT_EQ(second->usage.rows, 7);
  EXPECT_TRUE(second->usage.cpu_ms);
  EXPECT_GT(second->usage.memory_bytes, 0);
  EXPECT_GT(second->usage.written_bytes, 0);
}

TEST_F(WarmHost, HandsOverTheCallAndTheLog) {
  const auto host = warm(
      R"(echo "$line" > got; echo plain >&2
         echo '{"jsonrpc":"2.0","method":"log","params":{"level":"warning","message":"said"}}'
         sleep 0.1; reply '"result":{"output":{}}')");
  json::Object payload;
  payload.set("in", 1);
  EXPECT_EQ(said(call(*host, payload)), "{}");
  std::ifstream file(folder_ / "got");
  const std::string got(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(got,
            R"({"jsonrpc":"2.0","method":"call","id":1,"params":{"tool":"t","payload":{"in":1},)"
            R"("with":{},"run_id":"r","node_id":"n","folder":")" +
                folder_.string() +
                R"(","idempotency_key":"key","environment":{"WEIR_RUN_ID":"r"}}})" + "\n");
  EXPECT_THAT(log_, AllOf(HasSubstr("plain\n"), HasSubstr("said\n")));
}

TEST_F(WarmHost, TellsTheFailureOfTheTool) {
  const auto host =
      warm(R"(reply '"error":{"code":1,"message":"no","data":{"type":"Busy","retryable":true}}')");
  const auto output = call(*host);
  EXPECT_EQ(said(output), "Busy: no");
  EXPECT_EQ(output.error().retryable, true);
  EXPECT_EQ(output.error().category, "");
}

TEST_F(WarmHost, IsStartedAgainAfterItDiedButNotForEver) {
  const auto host = warm("[ -e alive ] || exit 3; reply '\"result\":{\"output\":{}}'");
  EXPECT_EQ(said(call(*host)), "ProcessExited: it exited with code 3");
  std::ofstream(folder_ / "alive") << "x";
  EXPECT_EQ(said(call(*host)), "{}");
  const auto dying = warm("exit 3");
  for (int i = 0; i < 5; ++i) EXPECT_THAT(said(call(*dying)), StartsWith("ProcessExited"));
  EXPECT_THAT(said(call(*dying)), StartsWith("PluginUnavailable: it died 5 times in a row"));
}

TEST_F(WarmHost, IsKeptWhenItStopsAsAskedAndKilledWhenItDoesNot) {
  std::stop_source stop;
  stop.request_stop();
  const auto polite = warm(R"(n=$((n + 1)); [ $n -gt 1 ] || read -r cancel
                              reply "\"result\":{\"output\":{\"n\":$n}}")");
  EXPECT_THAT(said(call(*polite, {}, stop.get_token())), StartsWith("Cancelled"));
  EXPECT_EQ(said(call(*polite)), R"({"n":2})");
  const auto deaf = warm("while :; do :; done", "time: 100ms");
  const auto output = call(*deaf);
  EXPECT_THAT(said(output), StartsWith("TIMEOUT: it took longer than 100 ms"));
  EXPECT_GT(output.error().usage.cpu_ms.value_or(0), 0) << "what it used until it was killed";
  EXPECT_GT(output.error().usage.memory_bytes.value_or(0), 0);
  EXPECT_EQ(output.error().category, kSandbox);
}

TEST_F(WarmHost, StopsWhatSaysNoMessageOrTooMuch) {
  EXPECT_THAT(said(call(*warm("echo hello"))), StartsWith("ProtocolError: it printed what is no"));
  EXPECT_THAT(said(call(*warm("exec yes >&2", "output: 1kB"))), StartsWith("OUTPUT_LIMIT"));
  EXPECT_THAT(said(call(*warm("while :; do printf xxxxxxxxxxxxxxxxxx; done", "output: 1kB"))),
              StartsWith("OUTPUT_LIMIT"));
}

TEST_F(WarmHost, HoldsTheLimitsOfEachCall) {
  const auto host = warm("while :; do :; done", "cpu: 100ms");
  EXPECT_THAT(said(call(*host)), StartsWith("CPU_LIMIT"));
  const auto large = warm("exec perl -e '$x .= q(x) x 1000000 while 1'", "memory: 64MiB");
  EXPECT_THAT(said(call(*large)), StartsWith("OOM"));
}

TEST_F(WarmHost, IsConfinedToo) {
  if (const auto able = check_protections(config::Trust::kUntrusted, protections()); !able) {
    GTEST_SKIP() << able.error().message;
  }
  const auto host = warm("exec perl -e 'socket(my $s, 2, 1, 0)'", "", config::Trust::kUntrusted);
  EXPECT_THAT(said(call(*host)), StartsWith("POLICY_DENIED"));
}

TEST_F(WarmHost, SaysWhatCouldNotBeStarted) {
  const auto host = make_host(
      plugin("{id: p, version: '1', trust: trusted, kind: warm, command: [./no], tools: {t: {}}}",
             config::Trust::kTrusted));
  EXPECT_THAT(said(call(*host)), AllOf(StartsWith("PluginNotStarted: it could not be started: "),
                                       HasSubstr("/no': No such file or directory")));
}

}  // namespace
}  // namespace weir::tool
