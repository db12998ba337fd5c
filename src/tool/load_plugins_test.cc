#include "tool/load_plugins.h"

#include <gmock/gmock.h>

#include "tool/plugin_testing.h"

namespace weir::tool {
namespace {

using config::Trust;
using testing::HasSubstr;
using testing::StartsWith;

/// The plugins in examples/plugins: one of each kind. The library is made by the test.
class Plugins : public testing::Test {
 protected:
  Plugins() : folder_(testing::TempDir() + "plugins-" + std::to_string(random_bits())) {
    const auto examples = std::filesystem::path(WEIR_SOURCE_DIR) / "examples" / "plugins";
    std::filesystem::copy(examples, folder_, std::filesystem::copy_options::recursive);
  }
  ~Plugins() override { std::filesystem::remove_all(folder_); }

  std::string run(Registry& registry, std::string_view plugin, std::string_view tool) const {
    json::Object payload;
    payload.set("text", "to be or not");
    const json::Object with;
    auto* found = registry.find(plugin, tool);
    if (found == nullptr) return "no such tool";
    const auto output = run_caught(
        *found,
        {.run_id = "r", .node_id = "n", .payload = payload, .with = with, .folder = folder_});
    return output ? json::to_text(output->payload)
                  : output.error().type + ": " + output.error().message;
  }

  const std::filesystem::path folder_;
};

TEST_F(Plugins, OfEachKindRunInEachTier) {
  const auto sums = folder_ / "sums";
  const auto compile = "cc -shared -fPIC -I " WEIR_SOURCE_DIR "/include -o " +
                       (sums / "libsums.so").string() + " " + (sums / "sums.c").string();
  ASSERT_EQ(::system(compile.c_str()), 0);
  for (const auto tier : {Trust::kTrusted, Trust::kPartner, Trust::kUntrusted}) {
    SCOPED_TRACE(config::to_string(tier));
    const config::Plugins settings{.folders = {folder_},
                                   .trust = {{"words", tier}, {"greeter", tier}, {"sums", tier}}};
    auto found = find_plugins(settings, WEIR_PROGRAM);
    ASSERT_TRUE(found) << found.error().message;
    for (auto& one : *found) {
      ASSERT_TRUE(one.problems.empty()) << to_string(one.problems[0], one.file.string());
      if (!one.why_not.empty()) GTEST_SKIP() << one.why_not;
      // As if its manifest asked for it.
      one.plugin.manifest.trust = tier;
      one.plugin.policy = policy_of(one.plugin.manifest, tier, one.plugin.folder);
    }
    Registry registry;
    add_plugins(*found, registry);
    EXPECT_EQ(run(registry, "words", "count"), R"({"words":4})");
    EXPECT_EQ(run(registry, "greeter", "greet"), R"({"greeting":"hello","calls":1})");
    EXPECT_EQ(run(registry, "greeter", "greet"), R"({"greeting":"hello","calls":2})");
    EXPECT_THAT(run(registry, "sums", "bytes"), StartsWith(R"({"bytes":23,"sum":)"));
    EXPECT_EQ(run(registry, "sums", "fail"),
              "NothingToSum: node 'n': plugin 'sums': it is told to fail");
    EXPECT_EQ(registry.health("greeter")->report().success_count, 2);
    EXPECT_EQ(registry.find("words", "count")->spec().version, "1.0.0");
    EXPECT_EQ(registry.find("sums", "bytes")->spec().measures_cpu, tier == Trust::kTrusted)
        << "in this thread";
    EXPECT_FALSE(registry.find("words", "count")->spec().measures_cpu);
  }
}

TEST_F(Plugins, HaveNoMoreTrustThanTheyAskForAndTheUserGives) {
  const auto trust_of = [&](std::string_view asked, std::optional<Trust> agreed) {
    std::ofstream(folder_ / "words" / "plugin.yaml")
        << "{id: w, version: '1', command: [x], tools: {t: {}}, trust: " << asked
        << ", permissions: {network: true, read: [data], environment: [HOME]}}";
    config::Plugins settings{.folders = {folder_ / "words"}, .trust = {}};
    if (agreed) settings.trust["w"] = *agreed;
    return find_plugins(settings, WEIR_PROGRAM)->at(0).plugin.policy;
  };
  EXPECT_EQ(trust_of("trusted", {}).trust, Trust::kUntrusted);
  EXPECT_EQ(trust_of("untrusted", Trust::kTrusted).trust, Trust::kUntrusted);
  EXPECT_EQ(trust_of("trusted", Trust::kPartner).trust, Trust::kPartner);
  EXPECT_EQ(trust_of("trusted", Trust::kTrusted).trust, Trust::kTrusted);
  EXPECT_TRUE(trust_of("partner", Trust::kPartner).network);
  EXPECT_THAT(trust_of("partner", Trust::kPartner).read, testing::Contains(folder_ / "words/data"));
  // What nobody agreed to is not given.
  EXPECT_FALSE(trust_of("partner", {}).network);
  EXPECT_THAT(trust_of("partner", {}).read, testing::ElementsAre(folder_ / "words"));
  EXPECT_EQ(trust_of("partner", {}).limits, standard_limits());
}

TEST_F(Plugins, AreRefusedWhereAProtectionIsMissing) {
  const std::vector<Protection> nothing = {
      {.name = "files", .available = false, .mechanism = "no Landlock"}};
  const auto found = find_plugins({.folders = {folder_}, .trust = {}}, WEIR_PROGRAM, nothing);
  Registry registry;
  add_plugins(*found, registry);
  EXPECT_THAT(run(registry, "words", "count"),
              testing::AllOf(StartsWith("PluginUnavailable: "), HasSubstr("files (no Landlock)")));
  EXPECT_EQ(registry.health("words")->report().state, HealthReport::State::kUnavailable);
}

TEST_F(Plugins, AreComplainedOfWhenTheyAreWrong) {
  std::ofstream(folder_ / "words" / "plugin.yaml") << "id: words\ncomand: [x]\n";
  std::ofstream(folder_ / "greeter" / "plugin.yaml")
      << "{id: sql, version: '1', command: [x], tools: {t: {}}}";
  const auto found =
      find_plugins({.folders = {folder_, folder_ / "sums"}, .trust = {}}, WEIR_PROGRAM);
  ASSERT_EQ(found->size(), 4U);
  EXPECT_EQ(found->at(0).problems[0].message,
            "there is a plugin 'sql' already, which is Weir's own: give this one another 'id'");
  EXPECT_TRUE(found->at(1).problems.empty());
  EXPECT_EQ(found->at(2).problems.size(), 2U);
  EXPECT_EQ(found->at(3).problems[0].message,
            "there is a plugin 'sums' already: give this one another 'id'");
  EXPECT_FALSE(find_plugins({.folders = {folder_ / "nothing"}, .trust = {}}, WEIR_PROGRAM));
}

TEST(Policy, SurvivesTheWayToTheSupervisor) {
  Policy policy{.trust = Trust::kPartner,
                .network = true,
                .read = {"/a", "/b c"},
                .write = {"/d"},
                .temporary = "/t",
                .limits = standard_limits()};
  policy.limits.time.reset();          // the host's
  policy.limits.output_bytes.reset();  // to hold
  EXPECT_EQ(*policy_from_json(to_json(policy)), policy);
  EXPECT_EQ(policy_from_json(R"({"trust": "whatever"})")->trust, Trust::kUntrusted);
  EXPECT_FALSE(policy_from_json("{}"));
}

}  // namespace
}  // namespace weir::tool
