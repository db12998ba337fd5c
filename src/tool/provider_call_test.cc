#include "tool/provider_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tool/json_rpc.h"
#include "tool/plugin_testing.h"
#include "tool/protections.h"

namespace weir::tool {
namespace {

using testing::HasSubstr;

constexpr const char* kStarted =
    R"({"event":"started","call_id":"7","operation":"chat","provider":"acme","model_id":"m-1",)"
    R"("context":{"scope":"node"}})";
constexpr const char* kCompleted =
    R"({"event":"completed","call_id":"7","operation":"chat","provider":"acme","duration_ms":812.5,)"
    R"("input_tokens":120,"output_tokens":48,"cost_usd":0.002,"metrics":{"cached":true}})";
constexpr const char* kFailed =
    R"({"event":"failed","call_id":"7","operation":"chat","provider":"acme","duration_ms":1.0,)"
    R"("error":{"type":"Busy","message":"no","retryable":true}})";

std::string reread(const std::string& text) {
  const auto value = json::parse(text);
  const auto report = provider_call_from(*value->object());
  return report ? json::to_text(to_object(*report)) : report.error().message;
}

TEST(ProviderCall, IsTheSameAfterItWasWrittenAndRead) {
  for (const std::string text : {kStarted, kCompleted, kFailed}) EXPECT_EQ(reread(text), text);
}

TEST(ProviderCall, IsRefusedWhenItSaysTooLittle) {
  EXPECT_THAT(reread("{}"), HasSubstr("needs 'event'"));
  EXPECT_THAT(reread(R"({"event":"begun"})"), HasSubstr("needs 'event'"));
  EXPECT_THAT(reread(R"({"event":"started","operation":"chat","call_id":"7"})"),
              HasSubstr("needs 'operation', 'provider' and 'call_id'"));
  EXPECT_EQ(reread(R"({"event":"completed","call_id":"7","operation":"c","provider":"a",)"
                   R"("input_tokens":-1,"cost_usd":"much"})"),
            R"({"event":"completed","call_id":"7","operation":"c","provider":"a",)"
            R"("duration_ms":0.0})");
}

class ProviderCallOfPlugin : public PluginTest {
 protected:
  /// Calls the plugin's tool, and keeps what it tells of providers.
  std::string heard_from(PluginHost& host) {
    const json::Object nothing;
    std::string heard;
    const auto output =
        host.call("t", {.run_id = "r",
                        .node_id = "n",
                        .payload = nothing,
                        .with = nothing,
                        .folder = folder_,
                        .stop = {},
                        .log = [this](const LogLine& line) { log_.append(line.message); },
                        .kept = {},
                        .environment = {},
                        .provider_call =
                            [&](const ProviderCallReport& report) {
                              heard += json::to_text(to_object(report)) + "\n";
                            }});
    return heard + said(output);
  }
};

TEST_F(ProviderCallOfPlugin, IsHeardFromAProcessThatStays) {
  const std::string line(R"({"jsonrpc":"2.0","method":"provider_call","params":)");
  write_program("run.sh", "#!/bin/sh\nread -r call\ncat <<'END'\n" + line + kStarted + "}\n" +
                              line + kCompleted + "}\n" +
                              R"({"jsonrpc":"2.0","id":1,"result":{"output":{}}})" + "\nEND\n");
  const auto host = make_host(plugin(
      "{id: p, version: '1', trust: trusted, kind: warm, command: [./run.sh], tools: {t: {}}}",
      config::Trust::kTrusted));
  EXPECT_EQ(heard_from(*host), std::string(kStarted) + "\n" + kCompleted + "\n{}");
}

constexpr const char* kChatLibrary = R"(
#include "weir/plugin.h"
static int call(void *state, const weir_plugin_call *call) {
  static const char started[] = "{\"event\":\"started\",\"call_id\":\"7\",\"operation\":\"chat\","
                        "\"provider\":\"acme\"}";
  (void)state;
  call->provider_call(call->host, started, sizeof started - 1);
  call->provider_call(call->host, "[]", 2);
  return 0;
}
static const weir_plugin plugin = {WEIR_PLUGIN_VERSION, 0, call, 0};
const weir_plugin *weir_plugin_entry(uint32_t version) { (void)version; return &plugin; }
)";

TEST_F(ProviderCallOfPlugin, IsHeardFromALibraryInWeirAndInAProcessOfItsOwn) {
  build_library("libchat.so", kChatLibrary);
  for (const auto trust : {config::Trust::kTrusted, config::Trust::kUntrusted}) {
    if (!check_protections(trust, protections())) GTEST_SKIP() << "this machine cannot confine it";
    log_.clear();
    const auto host = make_host(
        plugin("{id: p, version: '1', trust: trusted, kind: shared_object, library: libchat.so, "
               "tools: {t: {}}}",
               trust));
    EXPECT_EQ(heard_from(*host),
              "{\"event\":\"started\",\"call_id\":\"7\",\"operation\":\"chat\","
              "\"provider\":\"acme\"}\n{}");
    EXPECT_THAT(log_, HasSubstr("a provider call of it was passed over: it is no object"));
  }
}

}  // namespace
}  // namespace weir::tool
