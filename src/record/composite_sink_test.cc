#include "record/composite_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/sink_testing.h"

namespace weir::record {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Mood = RecordingSink::Mood;

std::vector<event::TopicPattern> pattern_of(std::string_view pattern) {
  return {*event::TopicPattern::parse(pattern)};
}

bool accepts(const EventFilter& filter, std::string_view type, std::string_view members = "") {
  const TestEvent event(type, members);
  return filter.accepts(event.published());
}

constexpr std::string_view kLog = R"("message":"m","logger":"agent.drafter")";

TEST(EventFilter, TakesEverythingByDefault) {
  EXPECT_TRUE(accepts({}, "pipeline_paused"));
  EXPECT_TRUE(accepts({}, "log", R"("level":"DEBUG","message":"m")"));
}

TEST(EventFilter, ChoosesByTopicTypeAndLogger) {
  EXPECT_TRUE(accepts({.include = {.topics = pattern_of("pipeline.#")}}, "pipeline_paused"));
  EXPECT_FALSE(accepts({.include = {.topics = pattern_of("stage.#")}}, "pipeline_paused"));
  EXPECT_TRUE(accepts({.include = {.types = {"a", "deploy.done"}}}, "deploy.done"));
  EXPECT_FALSE(accepts({.include = {.types = {"deploy"}}}, "deploy.done"));
  EXPECT_TRUE(accepts({.include = {.loggers = {"agent"}}}, "log", kLog));
  EXPECT_TRUE(accepts({.include = {.loggers = {"agent.drafter"}}}, "log", kLog));
  EXPECT_FALSE(accepts({.include = {.loggers = {"agent.draft"}}}, "log", kLog));
  EXPECT_FALSE(accepts({.include = {.loggers = {"agent"}}}, "pipeline_paused"));
}

TEST(EventFilter, WantsAllThatIsAskedForAndNothingThatIsExcluded) {
  const EventTraits both = {.topics = pattern_of("log"), .loggers = {"agent"}};
  EXPECT_TRUE(accepts({.include = both}, "log", kLog));
  EXPECT_FALSE(accepts({.include = both}, "log", R"("message":"m","logger":"tool")"));
  EXPECT_FALSE(accepts({.exclude = {.topics = pattern_of("log")}}, "log", kLog));
  EXPECT_FALSE(accepts({.exclude = {.types = {"log"}}}, "log", kLog));
  EXPECT_FALSE(accepts({.exclude = {.loggers = {"agent"}}}, "log", kLog));
  EXPECT_FALSE(accepts({.include = both, .exclude = {.loggers = {"agent.drafter"}}}, "log", kLog));
  EXPECT_TRUE(accepts({.exclude = {.loggers = {"tool"}}}, "log", kLog));
}

TEST(EventFilter, HasALowestLevel) {
  const EventFilter filter{.min_level = event::Level::kError};
  EXPECT_FALSE(accepts(filter, "log", R"("message":"m","level":"WARNING")"));
  EXPECT_TRUE(accepts(filter, "log", R"("message":"m","level":"ERROR")"));
  EXPECT_TRUE(accepts(filter, "log", R"("message":"m","level":"FATAL")"));
  EXPECT_FALSE(accepts(filter, "log", R"("message":"m","level":"no level")"));
}

TEST(CompositeSink, GivesEachChildWhatItWants) {
  const auto all = std::make_shared<RecordingSink>();
  const auto some = std::make_shared<RecordingSink>();
  CompositeSink sink;
  ASSERT_TRUE(sink.add("all", all));
  ASSERT_TRUE(sink.add("some", some, {.include = {.types = {"b"}}}));
  for (const auto* type : {"a", "b"}) {
    const TestEvent event(type);
    ASSERT_TRUE(sink.emit(event.published()));
  }
  EXPECT_THAT(all->topics(), ElementsAre("custom.a", "custom.b"));
  EXPECT_THAT(some->topics(), ElementsAre("custom.b"));
}

TEST(CompositeSink, KeepsNoEventFromOthersWhenOneFailsOrThrows) {
  const auto failing = std::make_shared<RecordingSink>();
  const auto throwing = std::make_shared<RecordingSink>();
  const auto well = std::make_shared<RecordingSink>();
  failing->set(Mood::kFailing);
  throwing->set(Mood::kThrowing);
  CompositeSink sink;
  ASSERT_TRUE(sink.add("failing", failing));
  ASSERT_TRUE(sink.add("throwing", throwing));
  ASSERT_TRUE(sink.add("well", well));
  const TestEvent event("a");

  EXPECT_EQ(sink.emit(event.published()).error(),
            (Error{ErrorCode::kIo, "sink 'failing': no luck"}));
  EXPECT_FALSE(sink.try_emit(event.published()));
  EXPECT_EQ(sink.flush().error().message, "sink 'failing': cannot flush");

  EXPECT_THAT(well->topics(), ElementsAre("custom.a", "custom.a"));
  EXPECT_THAT(well->flushed_at(), ElementsAre(2));
  const auto statistics = sink.statistics();
  ASSERT_EQ(statistics.size(), 3U);
  EXPECT_EQ(statistics[0].name, "failing");
  EXPECT_EQ(statistics[0].emitted, 0U);
  EXPECT_EQ(statistics[0].failed, 2U);
  EXPECT_EQ(statistics[0].last_error.value_or(Error{}).message, "cannot flush");
  EXPECT_EQ(statistics[1].failed, 2U);
  EXPECT_EQ(statistics[1].last_error.value_or(Error{}).message,
            "threw std::runtime_error: no manners");
  EXPECT_EQ(statistics[2].emitted, 2U);
  EXPECT_EQ(statistics[2].failed, 0U);
  EXPECT_FALSE(statistics[2].last_error);
}

TEST(CompositeSink, FlushesEveryChild) {
  const auto first = std::make_shared<RecordingSink>(), second = std::make_shared<RecordingSink>();
  CompositeSink sink;
  ASSERT_TRUE(sink.add("first", first));
  ASSERT_TRUE(sink.add("second", second));
  EXPECT_TRUE(sink.flush());
  EXPECT_THAT(first->flushed_at(), ElementsAre(0));
  EXPECT_THAT(second->flushed_at(), ElementsAre(0));
}

TEST(CompositeSink, WaitsForNoChildUnlessItMay) {
  struct FullSink final : EventSink {
    Result<void> emit(const Published&) override {
      waited = true;
      return {};
    }
    bool try_emit(const Published&) override { return false; }
    bool waited = false;
  };
  const auto full = std::make_shared<FullSink>();
  CompositeSink sink;
  ASSERT_TRUE(sink.add("full", full));
  const TestEvent event("a");
  EXPECT_FALSE(sink.try_emit(event.published()));
  EXPECT_FALSE(full->waited);
  EXPECT_TRUE(sink.emit(event.published()));
  EXPECT_TRUE(full->waited);
}

TEST(CompositeSink, RefusesChildrenThatItCannotTellApartOrHold) {
  const auto child = std::make_shared<RecordingSink>();
  CompositeSink sink;
  ASSERT_TRUE(sink.add("0", child));
  EXPECT_EQ(sink.add("0", child).error().code, ErrorCode::kConflict);
  EXPECT_EQ(sink.add("", child).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(sink.add("none", nullptr).error().code, ErrorCode::kInvalidInput);
  for (std::size_t i = 1; i < CompositeSink::kMaxChildren; ++i) {
    ASSERT_TRUE(sink.add(std::to_string(i), child));
  }
  EXPECT_EQ(sink.add("more", child).error().code, ErrorCode::kExhausted);
}

TEST(CompositeSink, WithoutChildrenTakesEverything) {
  CompositeSink sink;
  const TestEvent event("a");
  EXPECT_TRUE(sink.emit(event.published()));
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_THAT(sink.statistics(), IsEmpty());
}

}  // namespace
}  // namespace weir::record
