#include "config/plugin_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::config {
namespace {

using testing::ElementsAre;

std::vector<std::string> complaints(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& problem : parse_plugin_manifest(text).problems) {
    all.push_back(to_string(problem, "f"));
  }
  return all;
}

TEST(PluginManifest, SaysEverything) {
  const auto [manifest, problems] = parse_plugin_manifest(R"(
id: words
name: Word counter
version: 1.2.0
plugin_type: text
trust: partner
kind: warm
command: [./words.sh, -v]
tools:
  count:
    input_types: [text]
    output_types: [number]
    capabilities: [stream]
    effects: once
    settings: {unit: {kind: string, required: true}, deep: {}}
permissions: {network: true, read: [/data], write: [out], environment: [LANG]}
limits: {time: 10s, cpu: 500ms, memory: 64MiB, processes: 3, output: 1MiB, open_files: 20}
)");
  ASSERT_THAT(problems, ElementsAre());
  EXPECT_EQ(manifest.id, "words");
  EXPECT_EQ(manifest.name, "Word counter");
  EXPECT_EQ(manifest.version, "1.2.0");
  EXPECT_EQ(manifest.plugin_type, "text");
  EXPECT_EQ(manifest.trust, Trust::kPartner);
  EXPECT_EQ(manifest.kind, PluginKind::kWarm);
  EXPECT_THAT(manifest.command, ElementsAre("./words.sh", "-v"));
  const auto& tool = manifest.tools.at("count");
  EXPECT_THAT(tool.input_types, ElementsAre("text"));
  EXPECT_THAT(tool.output_types, ElementsAre("number"));
  EXPECT_THAT(tool.capabilities, ElementsAre("stream"));
  EXPECT_TRUE(tool.once);
  EXPECT_TRUE(tool.settings.at("unit").required);
  EXPECT_EQ(tool.settings.at("unit").kind, SettingKind::kString);
  EXPECT_EQ(tool.settings.at("deep").kind, SettingKind::kAny);
  EXPECT_TRUE(manifest.permissions.network);
  EXPECT_THAT(manifest.permissions.read, ElementsAre("/data"));
  EXPECT_THAT(manifest.permissions.write, ElementsAre("out"));
  EXPECT_THAT(manifest.permissions.environment, ElementsAre("LANG"));
  using std::chrono::milliseconds;
  EXPECT_EQ(manifest.limits, (Limits{.time = milliseconds(10'000),
                                     .cpu = milliseconds(500),
                                     .memory_bytes = 64U << 20,
                                     .processes = 3,
                                     .output_bytes = 1U << 20,
                                     .open_files = 20}));
}

TEST(PluginManifest, IsUntrustedAndAProcessACallIfItDoesNotSay) {
  const auto [manifest, problems] =
      parse_plugin_manifest(R"({"id": "a", "version": "1", "command": ["x"], "tools": {"t": {}}})");
  ASSERT_THAT(problems, ElementsAre());
  EXPECT_EQ(manifest.trust, Trust::kUntrusted);
  EXPECT_EQ(manifest.kind, PluginKind::kProcess);
  EXPECT_FALSE(manifest.permissions.network);
  EXPECT_EQ(manifest.limits, Limits());
}

TEST(PluginManifest, SaysEveryProblemWithItsPlace) {
  EXPECT_THAT(
      complaints("id: a b\nversion: 1.0\ncomand: [x]\ntrust: full\nkind: process\n"
                 "command: [x]\ntools: {t: {efects: once}}\nlimits: {memory: 1B}\n"),
      ElementsAre("f:1:5: 'id' is 'a b', letters, digits, '_', '-' and '.' is expected",
                  testing::HasSubstr("f:2:10: 'version' is 1.0, a text such as \"1.0.0\" is"),
                  testing::HasSubstr("f:3:1: "), testing::HasSubstr("f:4:8: 'trust'"),
                  testing::HasSubstr("f:7:13: "), testing::HasSubstr("f:8:18: 'memory'")));
}

TEST(PluginManifest, SaysWhatItsKindNeeds) {
  EXPECT_THAT(
      complaints("{id: a, version: '1', kind: shared_object, command: [x], tools: {t: {}}}"),
      ElementsAre("f:1:1: a plugin of the kind 'shared_object' needs 'library'",
                  "f:1:53: 'command' is not for a plugin of the kind 'shared_object'"));
  EXPECT_THAT(complaints("{id: a, version: '1', command: [x]}"),
              ElementsAre("f:1:1: a plugin needs at least one tool in 'tools'"));
  EXPECT_THAT(complaints("~"), ElementsAre("f:1:1: a manifest needs 'id' and 'version'"));
}

}  // namespace
}  // namespace weir::config
