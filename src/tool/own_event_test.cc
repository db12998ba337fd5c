#include "tool/own_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tool/plugin_testing.h"
#include "tool/protections.h"

namespace weir::tool {
namespace {

using testing::HasSubstr;

std::string fault_of(const std::string& type, const std::string& members = "{}") {
  OwnEvent event{.type = type};
  event.members = *json::parse(members)->object();
  const auto taken = check(event);
  return taken ? "" : taken.error().message;
}

TEST(OwnEvent, HasANameOfItsOwn) {
  EXPECT_EQ(fault_of("page.read"), "");
  EXPECT_EQ(fault_of("custom_1"), "");
  EXPECT_EQ(fault_of("weird"), "");
  for (const auto* type : {"", "Page", "page read", "9a"}) {
    EXPECT_THAT(fault_of(type), HasSubstr("has no name")) << type;
  }
  for (const auto* type : {"pipeline_completed", "pipeline_page", "tool_denied", "log", "audit",
                           "signal_accepted", "signal_x", "approval_x", "weir.page"}) {
    EXPECT_THAT(fault_of(type), HasSubstr("is not for tools to say")) << type;
  }
}

TEST(OwnEvent, SaysOfAnAgentWhatItsTypeNeeds) {
  EXPECT_EQ(fault_of("agent_run", R"({"agent_id":"a","outcome":"completed"})"), "");
  EXPECT_THAT(fault_of("agent_run", R"({"agent_id":"a"})"), HasSubstr("needs 'outcome'"));
  EXPECT_EQ(fault_of("notification", R"({"message":"look here"})"), "");
  EXPECT_THAT(fault_of("notification", R"({"text":"look here"})"), HasSubstr("needs 'message'"));
}

TEST(OwnEvent, IsOfTheColumnsTypesAndNotTooLarge) {
  EXPECT_EQ(fault_of("a", R"({"rows":3,"cost_usd":1,"retryable":true,"node_id":7})"), "");
  EXPECT_THAT(fault_of("a", R"({"rows":"3"})"), HasSubstr("another type in 'rows'"));
  EXPECT_THAT(fault_of("a", R"({"rows":3.5})"), HasSubstr("another type in 'rows'"));
  EXPECT_THAT(fault_of("a", R"({"message":{}})"), HasSubstr("another type in 'message'"));
  EXPECT_THAT(fault_of("a", R"({"x":")" + std::string(kMaxOwnEventBytes, 'x') + "\"}"),
              HasSubstr("is larger than"));
}

TEST(OwnEvent, OnlySaysColumnsThatAreToolsToSay) {
  EXPECT_EQ(column_for("model_id"), event::Field::kModelId);
  for (const auto* name : {"run_id", "node_id", "tenant_id", "attempt", "event_type", "page"}) {
    EXPECT_FALSE(column_for(name)) << name;
  }
}

TEST(OwnEvent, ComesBackFromItsObject) {
  OwnEvent event{.type = "page.read", .level = event::Level::kWarning};
  event.members.set("rows", 3);
  const auto back = own_event_from(to_object(event));
  EXPECT_EQ(back.type, "page.read");
  EXPECT_EQ(back.level, event::Level::kWarning);
  EXPECT_EQ(json::to_text(back.members), R"({"rows":3})");
  EXPECT_EQ(own_event_from({}).type, "");
}

class OwnEventOfPlugin : public PluginTest {
 protected:
  /// What it said, and how its call ended.
  std::string heard_from(PluginHost& host) {
    std::string heard;
    const json::Object payload, with;
    const auto output = host.call(
        "t", {.run_id = "r",
              .node_id = "n",
              .payload = payload,
              .with = with,
              .folder = folder_,
              .stop = {},
              .log = [this](const LogLine& line) { log_.append(line.message).append("\n"); },
              .kept = {},
              .environment = {},
              .emit = [&](const OwnEvent& event) -> Result<void> {
                WEIR_TRY(check(event));
                heard += json::to_text(to_object(event)) + "\n";
                return {};
              }});
    return heard + said(output);
  }
};

constexpr const char* kPageLibrary = R"(
#include "weir/plugin.h"
static int call(void *state, const weir_plugin_call *call) {
  static const char page[] = "{\"rows\":3}";
  (void)state;
  if (call->size <= offsetof(weir_plugin_call, emit_event)) return 9;
  if (!call->emit_event(call->host, "page.read", page, sizeof page - 1)) return 8;
  call->emit_event(call->host, "pipeline_failed", page, sizeof page - 1);
  call->emit_event(call->host, "page.read", "[]", 2);
  return 0;
}
static const weir_plugin plugin = {WEIR_PLUGIN_VERSION, 0, call, 0};
const weir_plugin *weir_plugin_entry(uint32_t version) { (void)version; return &plugin; }
)";

TEST_F(OwnEventOfPlugin, IsHeardFromALibraryInWeirAndInAProcessOfItsOwn) {
  build_library("libpage.so", kPageLibrary);
  for (const auto trust : {config::Trust::kTrusted, config::Trust::kUntrusted}) {
    if (!check_protections(trust, protections())) GTEST_SKIP() << "this machine cannot confine it";
    log_.clear();
    const auto host = make_host(
        plugin("{id: p, version: '1', trust: trusted, kind: shared_object, library: libpage.so, "
               "tools: {t: {}}}",
               trust));
    EXPECT_EQ(heard_from(*host),
              "{\"type\":\"page.read\",\"level\":\"INFO\",\"data\":{\"rows\":3}}\n{}");
    EXPECT_THAT(log_, HasSubstr("'pipeline_failed' is not for tools to say"));
    EXPECT_THAT(log_, HasSubstr("what it says is no JSON object"));
  }
}

}  // namespace
}  // namespace weir::tool
