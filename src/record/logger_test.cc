#include "record/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "record/context.h"
#include "record/observation.h"
#include "record/recorded_events.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;
using testing_support::attribute_of;
using testing_support::RecordedRun;
using testing_support::text_of;

std::vector<std::string> messages(RecordedRun& recorded) {
  std::vector<std::string> messages;
  for (const auto& event : recorded.events()) messages.push_back(text_of(event, "message"));
  return messages;
}

TEST(Logger, WritesALogEventWithItsNameLevelFieldsAndAttributes) {
  RecordedRun recorded;
  Loggers loggers;
  const auto log = loggers.logger("stage_interceptor", recorded.run());
  json::Object attributes;
  attributes.append({"k", 7});
  log.warning("slow", {{Field::kNodeId, "llm"}, {Field::kDurationMs, 2.5}}, attributes);

  const auto event = recorded.events().at(0);
  EXPECT_EQ(text_of(event, "event_type"), "log");
  EXPECT_EQ(text_of(event, "level"), "WARNING");
  EXPECT_EQ(text_of(event, "logger"), "stage_interceptor");
  EXPECT_EQ(text_of(event, "message"), "slow");
  EXPECT_EQ(text_of(event, "node_id"), "llm");
  EXPECT_EQ(text_of(event, "duration_ms"), "2.5");
  EXPECT_EQ(attribute_of(event, "k"), "7");
}

TEST(Logger, PutsArgumentsIntoTheMessage) {
  RecordedRun recorded;
  Loggers loggers;
  const auto log = loggers.logger("weir", recorded.run());
  const std::string text = "two";
  log.info("{} {} {} {} {}", 1, text, 2.5, true, 'c');
  log.info("{{}} {} {}", "one");
  log.info("no place", -1, std::uint64_t{18446744073709551615U});
  log.info("as it is: {} {{");
  log.log(Level::kError, "n={}", 5);

  EXPECT_THAT(messages(recorded),
              testing::ElementsAre("1 two 2.5 true c", "{} one {}",
                                   "no place -1 18446744073709551615", "as it is: {} {{", "n=5"));
}

TEST(Logger, CutsAMessageAtItsLimitWhateverTheArguments) {
  RecordedRun recorded;
  Loggers loggers;
  const std::string text(Observation::kMaxTextBytes, 'x');
  loggers.logger("weir", recorded.run()).info("{} {}", text, text);
  EXPECT_EQ(messages(recorded).at(0).size(), Observation::kMaxTextBytes);
}

TEST(Logger, RecordsFromItsLevelOn) {
  RecordedRun recorded;
  Loggers loggers;
  const auto log = loggers.logger("a", recorded.run());
  const auto say_all = [&] {
    log.debug("d");
    log.info("i");
    log.warning("w");
    log.error("e");
    log.fatal("f");
  };
  say_all();
  ASSERT_TRUE(loggers.set_level("a", Level::kError));
  EXPECT_FALSE(log.is_enabled(Level::kWarning));
  say_all();
  ASSERT_TRUE(loggers.set_level("a", Level::kDebug));
  say_all();
  EXPECT_THAT(messages(recorded),
              testing::ElementsAre("i", "w", "e", "f", "e", "f", "d", "i", "w", "e", "f"));
}

TEST(Loggers, TakeWhatIsNotSetFromTheNearestNameAbove) {
  RecordedRun recorded;
  Loggers loggers;
  const auto log = loggers.logger("a.b.c", recorded.run());
  EXPECT_EQ(loggers.level("a.b.c"), Level::kInfo);

  ASSERT_TRUE(loggers.set_level("weir", Level::kError));
  EXPECT_FALSE(log.is_enabled(Level::kWarning));
  ASSERT_TRUE(loggers.set_level("a", Level::kWarning));
  EXPECT_TRUE(log.is_enabled(Level::kWarning));
  ASSERT_TRUE(loggers.set_level("a.b.c", Level::kDebug));
  ASSERT_TRUE(loggers.set_level("a.b", Level::kFatal));
  EXPECT_TRUE(log.is_enabled(Level::kDebug));
  EXPECT_EQ(loggers.level("a.b.other"), Level::kFatal);
  EXPECT_EQ(loggers.level("ab"), Level::kError);
  ASSERT_TRUE(loggers.set_level("a.b.c", {}));
  EXPECT_FALSE(log.is_enabled(Level::kError));
  ASSERT_TRUE(loggers.set_level("a.b", {}));
  EXPECT_EQ(loggers.level("a.b.c"), Level::kWarning);
  // Made after its settings were.
  EXPECT_TRUE(loggers.logger("a.new", recorded.run()).is_enabled(Level::kWarning));
  EXPECT_FALSE(loggers.logger("a.new", recorded.run()).is_enabled(Level::kInfo));
}

TEST(Loggers, KnowTheRootByItsNameAndWhatIsBelowItWithOrWithoutIt) {
  RecordedRun recorded;
  Loggers loggers;
  ASSERT_TRUE(loggers.set_level("weir.pipeline_dag", Level::kError));
  EXPECT_EQ(loggers.level("pipeline_dag"), Level::kError);
  EXPECT_EQ(loggers.level("weir"), Level::kInfo);
  EXPECT_EQ(loggers.logger("weir.pipeline_dag", recorded.run()).name(), "pipeline_dag");
  EXPECT_EQ(loggers.logger("", recorded.run()).name(), "weir");
  EXPECT_EQ(loggers.logger("weir.weir", recorded.run()).name(), "weir");
}

TEST(Loggers, RefuseSettingsOfWhatIsNoName) {
  Loggers loggers;
  for (const auto* name : {"a..b", ".a", "a.", "a b", "a\n", "é"}) {
    EXPECT_EQ(loggers.set_level(name, Level::kInfo).error().code, ErrorCode::kInvalidInput) << name;
  }
  const std::string long_name(Loggers::kMaxNameBytes + 1, 'a');
  EXPECT_EQ(loggers.set_level(long_name, Level::kInfo).error().code, ErrorCode::kInvalidInput);
  EXPECT_FALSE(loggers.set_sampling("a", 1.5));
  EXPECT_FALSE(loggers.set_sampling("a", -0.1));
  EXPECT_FALSE(loggers.set_sampling("a", std::numeric_limits<double>::quiet_NaN()));
}

TEST(Loggers, LogUnderNamesForWhichThereIsNoRoomWithTheSettingsAbove) {
  RecordedRun recorded;
  Loggers loggers;
  ASSERT_TRUE(loggers.set_level("a", Level::kDebug));
  std::size_t named = 0;
  for (; loggers.set_level("n" + std::to_string(named), Level::kInfo); ++named) {
    ASSERT_LT(named, Loggers::kMaxLoggers);
  }
  EXPECT_EQ(named, Loggers::kMaxLoggers - 2);
  EXPECT_EQ(loggers.set_level("b", Level::kInfo).error().code, ErrorCode::kExhausted);

  loggers.logger("a.late", recorded.run()).debug("m");
  loggers.logger("a.not a name", recorded.run()).debug("m");
  const auto events = recorded.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(text_of(events[0], "logger"), "a.late");
  EXPECT_EQ(text_of(events[1], "logger"), "a.not a name");
}

TEST(Logger, SaysWhereItIsInTheTrace) {
  RecordedRun recorded;
  Loggers loggers;
  const auto context = TraceContext::start().child_span();
  const auto scope = context.activate();
  loggers.logger("a", recorded.run()).info("m {}", 1);
  const auto event = recorded.events().at(0);
  EXPECT_EQ(text_of(event, "trace_id"), context.trace_id.text());
  EXPECT_EQ(text_of(event, "span_id"), text_of(context.to_object(), "span_id"));
}

TEST(Logger, CarriesFieldsOfATenant) {
  RecordedRun recorded;
  Loggers loggers;
  const auto plain = loggers.logger("tenant_service", recorded.run());
  const auto log = plain.with(Field::kTenantId, "t1")->with(Field::kOrgId, "o1");
  ASSERT_TRUE(log);
  log->info("m");
  log->info("m", {{Field::kOrgId, "own"}});
  plain.info("m");
  const auto events = recorded.events();
  EXPECT_EQ(text_of(events[0], "tenant_id"), "t1");
  EXPECT_EQ(text_of(events[0], "org_id"), "o1");
  EXPECT_EQ(text_of(events[1], "org_id"), "own");
  EXPECT_EQ(text_of(events[2], "tenant_id"), "-");
  EXPECT_FALSE(plain.with(Field::kDurationMs, "1"));
  EXPECT_FALSE(plain.with(Field::kRunId, "r"));
}

TEST(Sampling, KeepsItsShareEvenlyByCount) {
  RecordedRun recorded;
  Loggers loggers;
  ASSERT_TRUE(loggers.set_sampling("a", 0.25));
  const auto log = loggers.logger("a.b", recorded.run());
  for (int i = 0; i < 100; ++i) log.info("{}", i);
  const auto kept = messages(recorded);
  ASSERT_EQ(kept.size(), 25U);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i], std::to_string(4 * i));
  EXPECT_EQ(log.sampled_out(), 75U);
  EXPECT_EQ(loggers.sampled_out(), 75U);
}

TEST(Sampling, KeepsEveryErrorAndNothingElseAtRateZero) {
  RecordedRun recorded;
  Loggers loggers;
  ASSERT_TRUE(loggers.set_sampling("weir", 0));
  const auto log = loggers.logger("a", recorded.run());
  log.info("i");
  log.warning("w");
  log.error("e");
  log.fatal("f");
  EXPECT_THAT(messages(recorded), testing::ElementsAre("e", "f"));
  EXPECT_EQ(log.sampled_out(), 2U);
}

TEST(Loggers, SayWhetherALineThatIsNoLoggersIsRecorded) {
  Loggers loggers;
  const auto context = TraceContext::start();
  ASSERT_TRUE(loggers.set_level("weir", Level::kWarning));
  ASSERT_TRUE(loggers.set_level("stdout", Level::kDebug));
  EXPECT_FALSE(loggers.records("stderr", Level::kInfo, &context));
  EXPECT_TRUE(loggers.records("stderr", Level::kWarning, &context));
  EXPECT_TRUE(loggers.records("stdout.more", Level::kDebug, nullptr));

  ASSERT_TRUE(loggers.set_sampling("stdout", 0));
  EXPECT_FALSE(loggers.records("stdout", Level::kInfo, &context));
  EXPECT_TRUE(loggers.records("stdout", Level::kError, &context));
  EXPECT_EQ(loggers.sampled_out(), 1U);
}

// Trace ids that only count: not everybody's are random.
TEST(Sampling, KeepsATraceWholeOrNotAtAllInEveryLogger) {
  constexpr int kTraces = 1000;
  RecordedRun recorded;
  Loggers loggers, others;
  ASSERT_TRUE(loggers.set_sampling("weir", 0.3));
  ASSERT_TRUE(others.set_sampling("weir", 0.3));
  const auto a = loggers.logger("a", recorded.run()), b = others.logger("b", recorded.run());
  for (int i = 0; i < kTraces; ++i) {
    auto context = TraceContext::start();
    context.trace_id.bytes = {};
    context.trace_id.bytes[14] = static_cast<std::uint8_t>(1 + i / 256);
    context.trace_id.bytes[15] = static_cast<std::uint8_t>(i % 256);
    const auto scope = context.activate();
    a.info("m");
    b.info("m");
    a.info("m");
  }
  std::map<std::string, int> by_trace;
  for (const auto& event : recorded.events()) ++by_trace[text_of(event, "trace_id")];
  for (const auto& [trace, count] : by_trace) EXPECT_EQ(count, 3) << trace;
  EXPECT_NEAR(static_cast<double>(by_trace.size()), 0.3 * kTraces, 60);
  EXPECT_EQ(a.sampled_out() + b.sampled_out() + 3 * by_trace.size(), 3U * kTraces);
}

TEST(Levels, HaveTheNamesOfTheCatalogueAndOfOthers) {
  EXPECT_EQ(parse_level("INFO"), Level::kInfo);
  EXPECT_EQ(parse_level("debug"), Level::kDebug);
  EXPECT_EQ(parse_level("Warn"), Level::kWarning);
  EXPECT_EQ(parse_level("critical"), Level::kFatal);
  EXPECT_EQ(parse_level("verbose"), std::nullopt);
  EXPECT_EQ(parse_level(""), std::nullopt);
}

TEST(ThreadsLogger, CountsWhatSamplingKeepsWhileLevelsChange) {
  constexpr int kThreads = 4, kEvents = 2000;
  RecordedRun recorded;
  Loggers loggers;
  ASSERT_TRUE(loggers.set_sampling("a", 0.5));
  std::atomic<bool> done{false};
  const std::jthread changer([&] {
    for (int i = 0; !done; ++i) {
      ASSERT_TRUE(loggers.set_level("weir", i % 2 == 0 ? Level::kInfo : Level::kDebug));
    }
  });
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const auto log = loggers.logger("a.t" + std::to_string(t % 2), recorded.run());
        for (int i = 0; i < kEvents; ++i) log.info("{}", i);
      });
    }
  }
  done = true;
  EXPECT_EQ(recorded.lines().size(), std::size_t{kThreads} * kEvents / 2);
  EXPECT_EQ(loggers.sampled_out(), std::uint64_t{kThreads} * kEvents / 2);
}

}  // namespace
}  // namespace weir::record
