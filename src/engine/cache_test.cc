#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "engine/take_up_testing.h"
#include "project/cache_answers.h"

// The outputs of earlier runs that stand for a node's.
namespace weir::engine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class SettableClock : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return system_clock().now() + ahead; }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
    return system_clock().monotonic();
  }
  std::chrono::hours ahead{0};
};

/// Counts its calls, and has a version.
class CountingTool : public tool::Tool {
 public:
  CountingTool(std::string version, std::function<json::Object(const tool::Call&)> function)
      : spec_{.plugin_id = "x", .tool_id = "t", .settings = {}, .version = std::move(version)},
        function_(std::move(function)) {}
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call& call) override {
    return tool::Output{.payload = function_(call), .usage = {}};
  }

 private:
  tool::ToolSpec spec_;
  std::function<json::Object(const tool::Call&)> function_;
};

class CacheTest : public EngineTest {
 protected:
  CacheTest() {
    clock_ = &time_;
    use_version("1");
  }

  void use_version(const std::string& version) {
    tools_.add(std::make_unique<CountingTool>(version, [this](const tool::Call& call) {
      ++calls_;
      if (fails_) throw std::runtime_error("not now");
      json::Object output;
      output.set("call", calls_.load());
      if (const auto* item = call.payload.find("item")) output.set("item", *item);
      if (const auto* size = call.with.find("size")) {
        output.set("large", std::string(static_cast<std::size_t>(*size->integer()), 'x'));
      }
      return output;
    }));
  }

  /// A node `n` of this tool.
  static std::string pipeline(const std::string& settings) {
    return R"({"id": "p", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "t", )" + settings +
           "}]}";
  }
  Result<RunReport> run_one(const std::string& settings = R"("cache": true)",
                            const std::string& input = "{}") {
    auto report = run(pipeline(settings), *json::parse(input)->object());
    EXPECT_TRUE(report && report->outcome == pipeline::RunOutcome::kCompleted);
    return report;
  }

  /// Of the events of this type, the newest.
  Seen newest(const std::string& type) {
    Seen found;
    for (const auto& event : events()) {
      if (event.type == type) found = event;
    }
    return found;
  }
  std::string miss() { return newest("cache_miss").members["reason"]; }
  std::size_t count(const std::string& type) {
    const auto all = types();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), type));
  }

  SettableClock time_;
  std::atomic<int> calls_ = 0;
  std::atomic<bool> fails_ = false;
};

TEST_F(CacheTest, TakesTheOutputOfAnEarlierRunInThePlaceOfACall) {
  const auto first = run_one();
  EXPECT_EQ(miss(), "first run");
  EXPECT_EQ(newest("pipeline_node_completed").members["cache_hit"], "false");
  const auto second = run_one();
  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(second->result, first->result);
  const auto hit = only("cache_hit");
  EXPECT_EQ(hit.members.at("target_run_id"), first->run_id.text());
  EXPECT_EQ(hit.members.at("read_bytes"), "10");
  const auto completed = newest("pipeline_node_completed");
  EXPECT_EQ(completed.run_id, second->run_id.text());
  EXPECT_EQ(completed.members.at("outcome"), "cached");
  EXPECT_EQ(completed.members.at("cache_hit"), "true");
  EXPECT_EQ(completed.members.at("target_run_id"), first->run_id.text());
  EXPECT_EQ(completed.members.at("output"), R"({"call":1})");
}

TEST_F(CacheTest, RecordsHitsAndMissesInTheOrderOfARun) {
  run_one();
  run_one();
  const auto all = lines_of(store_);
  const auto half = all.size() / 2;
  const auto first = state_of(std::span(all).first(half));
  const auto second = state_of(std::span(all).subspan(half));
  EXPECT_FALSE(first.is_inconsistent() || second.is_inconsistent());
  EXPECT_EQ(first.cache_misses, 1);
  EXPECT_EQ(second.cache_hits, 1);
  EXPECT_EQ(second.find_node("n")->last_attempt()->outcome, "cached");
  EXPECT_TRUE(*second.find_node("n")->cache_hit);
}

TEST_F(CacheTest, SaysWhichPartOfTheInputChanged) {
  run_one(R"("cache": true)", R"({"day": 1, "shop": "north"})");
  run_one(R"("cache": true)", R"({"day": 2, "shop": "north"})");
  EXPECT_EQ(miss(), "input changed: day");
  run_one(R"("cache": true)", R"({"day": 2})");
  EXPECT_EQ(miss(), "input changed: shop (gone)");
  EXPECT_EQ(calls_, 3);
  run_one(R"("cache": true)", R"({"day": 1, "shop": "north"})");
  EXPECT_EQ(calls_, 3) << "older outputs are still there";
}

TEST_F(CacheTest, ComparesTheWholeInput) {
  std::string large = R"({"rows": [)";
  for (int i = 0; i < 10'000; ++i) large += "{\"n\": " + std::to_string(i) + "},";
  run_one(R"("cache": true)", large + R"({"n": "a"}]})");
  run_one(R"("cache": true)", large + R"({"n": "b"}]})");
  EXPECT_EQ(miss(), "input changed: rows");
}

TEST_F(CacheTest, SaysWhichSettingChanged) {
  run_one(R"("cache": true, "with": {"a": 1, "b": "${input.day}"})", R"({"day": 1})");
  run_one(R"("cache": true, "with": {"a": 2, "b": "${input.day}"})", R"({"day": 1})");
  EXPECT_EQ(miss(), "settings changed: a");
  run_one(R"("cache": true, "with": {"a": 2, "b": "${input.day}"})", R"({"day": 2})");
  EXPECT_EQ(miss(), "settings changed: b; input changed: day");
}

TEST_F(CacheTest, SaysThatTheToolChanged) {
  run_one();
  use_version("2");
  run_one();
  EXPECT_EQ(miss(), "tool changed: x.t has version 2, before 1");
  EXPECT_EQ(calls_, 2);
}

TEST_F(CacheTest, TakesNoOutputThatIsOlderThanItMayBe) {
  run_one(R"("cache": {"ttl": "2h"})");
  time_.ahead = std::chrono::hours(1);
  run_one(R"("cache": {"ttl": "2h"})");
  EXPECT_EQ(calls_, 1);
  time_.ahead = std::chrono::hours(3);
  run_one(R"("cache": {"ttl": "2h"})");
  EXPECT_EQ(calls_, 2);
  EXPECT_THAT(miss(), AllOf(StartsWith("expired: it is 3 h"), HasSubstr("the ttl is 2 h")));
  run_one(R"("cache": {"ttl": "2h"})");
  EXPECT_EQ(calls_, 2) << "the new output is young";
}

TEST_F(CacheTest, SaysThatItIsDisabled) {
  run_one();
  run_one(R"("cache": false)");
  EXPECT_EQ(miss(), "disabled");
  EXPECT_EQ(calls_, 2);
  run_one(R"("description": "no cache is asked")");
  EXPECT_EQ(count("cache_miss"), 2U);
  EXPECT_EQ(count("cache_hit"), 0U);
}

TEST_F(CacheTest, CallsTheToolWhenTheOutputOrAnArtifactThatItNamesIsGone) {
  run_one(R"("cache": true, "with": {"size": 10000})");
  lose_artifacts(store_);
  run_one(R"("cache": true, "with": {"size": 10000})");
  EXPECT_THAT(miss(), StartsWith("output missing"));

  const auto table = *artifacts_.put("a table");
  add("x", "table", [&](const tool::Call&) {
    json::Object result, output;
    result.set("artifact", table.text());
    output.set("n", json::Array{result});
    return output;
  });
  const std::string tables =
      R"({"id": "q", "nodes": [{"id": "n", "plugin_id": "x", "tool_id": "table", "cache": true}]})";
  ASSERT_TRUE(run(tables) && run(tables));
  EXPECT_EQ(count("cache_hit"), 1U);
  std::filesystem::remove(artifacts_.path_of(table));
  ASSERT_TRUE(run(tables));
  EXPECT_EQ(miss(), "output missing: an artifact that it names");
}

TEST_F(CacheTest, CoversTheFilesThatTheNodeNames) {
  const auto data = testing::TempDir() + "data-" + std::to_string(random_bits());
  const auto settings = R"("cache": {"files": [")" + data + R"("]})";
  run_one(settings);
  std::ofstream(data) << "one";
  run_one(settings);
  EXPECT_EQ(miss(), "files changed: " + data);
  run_one(settings);
  EXPECT_EQ(calls_, 2);
  std::ofstream(data) << "two";
  run_one(settings);
  EXPECT_EQ(calls_, 3);
}

TEST_F(CacheTest, KeepsNoOutputWhenAFileChangesWhileTheToolReadsIt) {
  const auto data = testing::TempDir() + "data-" + std::to_string(random_bits());
  add("x", "t", [&](const tool::Call&) {
    std::ofstream(data) << random_bits();
    return json::Object();
  });
  const auto settings = R"("cache": {"files": [")" + data + R"("]})";
  run_one(settings);
  EXPECT_THAT(newest("log").members["message"], HasSubstr("a file changed meanwhile"));
  run_one(settings);
  EXPECT_EQ(miss(), "first run");
}

TEST_F(CacheTest, KeepsNothingOfAFailure) {
  fails_ = true;
  ASSERT_TRUE(run(pipeline(R"("cache": true)")));
  fails_ = false;
  run_one();
  EXPECT_EQ(miss(), "first run");
}

TEST_F(CacheTest, IsAskedForTheFirstTryOnlyAndKeepsTheOutputOfAnother) {
  add("x", "t", [this](const tool::Call&) {
    if (++calls_ < 3) throw std::runtime_error("not yet");
    return json::Object();
  });
  const auto* settings =
      R"("cache": true, "retry": {"max_attempts": 3, "delay": "1ms", "jitter": "none"})";
  run_one(settings);
  EXPECT_EQ(count("cache_miss"), 1U);
  run_one(settings);
  EXPECT_EQ(calls_, 3);
}

TEST_F(CacheTest, HasAnOutputForEachItem) {
  const auto* settings = R"("cache": true, "for_each": "${input.list}")";
  run_one(settings, R"({"list": ["a", "b"]})");
  EXPECT_EQ(calls_, 2);
  const auto report = run_one(settings, R"({"list": ["a", "b", "c"]})");
  EXPECT_EQ(calls_, 5) << "the list is a part of the input";
  EXPECT_EQ(json::to_text(report->result).find("null"), std::string::npos);
  run_one(settings, R"({"list": ["a", "b", "c"]})");
  EXPECT_EQ(calls_, 5);
  EXPECT_EQ(count("cache_hit"), 3U);
}

TEST_F(CacheTest, SharesNothingBetweenNodesAndPipelines) {
  run_one();
  ASSERT_TRUE(run(R"({"id": "p", "nodes": [
      {"id": "m", "plugin_id": "x", "tool_id": "t", "cache": true}]})"));
  EXPECT_EQ(miss(), "first run");
  ASSERT_TRUE(run(R"({"id": "q", "nodes": [
      {"id": "n", "plugin_id": "x", "tool_id": "t", "cache": true}]})"));
  EXPECT_EQ(miss(), "first run");
  EXPECT_EQ(calls_, 3);
}

TEST_F(CacheTest, ObeysWhenBeforeItIsAsked) {
  run_one();
  run_one(R"("cache": true, "when": "${input.go} == true")");
  EXPECT_EQ(count("cache_hit"), 0U);
}

TEST_F(CacheTest, IsAMissWhereItsFileOrItsFolderCannotBeRead) {
  run_one();
  for (const auto& file : std::filesystem::recursive_directory_iterator(store_.root() / "cache")) {
    if (file.is_regular_file() && file.path().filename() != "key") {
      std::filesystem::resize_file(file.path(), file.file_size() / 2);
    }
  }
  run_one();
  EXPECT_THAT(miss(), StartsWith("unreadable: "));
  run_one();
  EXPECT_EQ(calls_, 2) << "what was garbled has been replaced";

  std::filesystem::remove_all(store_.root() / "cache");
  std::ofstream(store_.root() / "cache") << "no folder";
  run_one();
  EXPECT_THAT(miss(), StartsWith("unreadable: "));
  EXPECT_EQ(calls_, 3);
}

TEST_F(CacheTest, TellsNobodyASecret) {
  const std::string secret = "correct horse";
  const auto file = pipeline::read_definition(
      *json::parse(pipeline(R"("cache": true, "with": {"password": "${secrets.PW}"})")));
  const auto run_with = [&](const std::string& value) {
    record::Recorder recorder(store_, {.clock = clock_});
    Engine engine(recorder, artifacts_, tools_);
    ASSERT_TRUE(engine.run({.definition = file.definition,
                            .definition_text = "",
                            .folder = ".",
                            .payload = {},
                            .secret = [&](const std::string&) { return std::optional(value); },
                            .stop = {},
                            .on_update = {}}));
  };
  run_with(secret);
  std::string kept;
  for (const auto& found : std::filesystem::recursive_directory_iterator(store_.root() / "cache")) {
    if (found.is_regular_file()) kept += *read_file(found.path(), 1 << 20);
  }
  EXPECT_THAT(kept, HasSubstr("password"));
  for (const auto& text : {secret, json::to_text(secret)}) {
    EXPECT_THAT(kept, Not(HasSubstr(text)));
    EXPECT_THAT(kept, Not(HasSubstr(sha256(text).text().substr(0, 16))));
  }
  run_with(secret);
  EXPECT_EQ(calls_, 1);
  run_with("another one");
  EXPECT_EQ(miss(), "settings changed: password");
}

/// A run of cached and other nodes.
constexpr const char* kMixed = R"({"id": "p", "nodes": [
    {"id": "n", "plugin_id": "x", "tool_id": "t", "cache": true},
    {"id": "each", "plugin_id": "x", "tool_id": "t", "cache": true, "needs": ["n"],
     "for_each": "${input.list}"},
    {"id": "last", "plugin_id": "a", "tool_id": "t1", "needs": ["each"]}]})";

class CacheTakeUpTest : public CacheTest {
 protected:
  /// Goes on with what `before` tells, in a store of its own with the cache and the artifacts of
  /// this one as they were before; returns what was recorded there.
  Result<RunReport> take_up(std::span<const std::string> before, const json::Object& payload,
                            std::vector<std::string>& after) {
    const auto store = log::StoreDirectory::create(
        testing::TempDir() + "taken-up-" + std::to_string(random_bits()), files_);
    EXPECT_TRUE(store);
    std::filesystem::copy(cache_before_, store->root() / "cache",
                          std::filesystem::copy_options::recursive);
    const auto file = pipeline::read_definition(*json::parse(kMixed));
    auto report = [&]() -> Result<RunReport> {
      record::Recorder recorder(*store, {.clock = clock_});
      Engine engine(recorder, artifacts_, tools_);
      auto run = recorded_run(before);
      WEIR_TRY(auto lock, log::RunLock::take(*store, run.run_id));
      OwnedRun owned{.lock = std::move(lock), .recorded = std::move(run)};
      return engine.run({.definition = file.definition,
                         .definition_text = kMixed,
                         .folder = ".",
                         .payload = payload,
                         .owned = &owned,
                         .stop = {},
                         .on_update = {}});
    }();
    after = lines_of(*store);
    return report;
  }

  /// Runs the pipeline, loses it after each event and takes it up: always the same result.
  void lose_everywhere() {
    const auto payload = *json::parse(R"({"list": [1, 2]})")->object();
    const auto begin = lines_of(store_).size();
    cache_before_ = testing::TempDir() + "cache-before-" + std::to_string(random_bits());
    std::filesystem::create_directories(store_.root() / "cache");
    std::filesystem::copy(store_.root() / "cache", cache_before_,
                          std::filesystem::copy_options::recursive);
    const auto whole = run(kMixed, payload, 1);
    ASSERT_TRUE(whole);
    const auto lines = lines_of(store_);
    const auto all = std::span(lines).subspan(begin);
    const auto calls = calls_.load();
    for (std::size_t lost_after = 1; lost_after < all.size(); ++lost_after) {
      SCOPED_TRACE("lost after event " + std::to_string(lost_after) + ": " + all[lost_after - 1]);
      const auto before = all.first(lost_after);
      const auto completed = state_of(before).count(project::State::kCompleted);
      calls_ = static_cast<int>(completed < 3 ? completed : 3);  // what the calls count on
      if (is_warm_) calls_ = calls;
      std::vector<std::string> after;
      const auto report = take_up(before, payload, after);
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_EQ(json::to_text(report->result), json::to_text(whole->result));
      const auto state = state_of(before, after);
      EXPECT_FALSE(state.is_inconsistent())
          << (state.forbidden.empty() ? "" : state.forbidden[0].why);
      EXPECT_EQ(states_of(state), states_of(state_of(all)));
      EXPECT_TRUE(!is_warm_ || calls_ == calls) << "a hit is a hit";
    }
  }

  std::filesystem::path cache_before_;
  bool is_warm_ = false;
};

TEST_F(CacheTakeUpTest, EndsAsTheUncrashedRunWhereverItWasLostWithACacheThatKnowsNothing) {
  lose_everywhere();
}

TEST_F(CacheTakeUpTest, EndsAsTheUncrashedRunWhereverItWasLostWithACacheThatKnowsAll) {
  ASSERT_TRUE(run(kMixed, *json::parse(R"({"list": [1, 2]})")->object(), 1));
  is_warm_ = true;
  lose_everywhere();
  EXPECT_EQ(calls_, 3);
}

}  // namespace
}  // namespace weir::engine
