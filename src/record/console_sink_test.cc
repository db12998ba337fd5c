#include "record/console_sink.h"

#include <gtest/gtest.h>

#include <memory>

#include "record/callback_sink.h"
#include "record/null_sink.h"
#include "record/sink_testing.h"

namespace weir::record {
namespace {

constexpr std::string_view kTime = "2026-01-05 03:00:00.250000 - ";

struct Screen {
  std::string text;
  Print print() {
    return [this](std::string_view more) -> Result<void> {
      text += more;
      return {};
    };
  }
};

std::string at_level(std::string_view level) {
  return R"("message":"m","level":")" + std::string(level) + "\"";
}

TEST(ConsoleSink, PrintsALineForPeople) {
  Screen screen;
  ConsoleSink sink(screen.print());
  const TestEvent event("log", R"("message":"Stage starting: llm","logger":"stage_interceptor")");
  ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_EQ(screen.text, std::string(kTime) + "stage_interceptor - INFO - Stage starting: llm\n");
}

TEST(ConsoleSink, LeavesOutWhatIsBelowItsLevel) {
  Screen screen;
  ConsoleSink sink(screen.print(), {.min_level = event::Level::kWarning});
  for (const auto* level : {"DEBUG", "INFO", "WARNING", "ERROR"}) {
    const TestEvent event("log", at_level(level));
    ASSERT_TRUE(sink.emit(event.published()));
  }
  EXPECT_EQ(screen.text, std::string(kTime) + "weir - WARNING - m\n" + std::string(kTime) +
                             "weir - ERROR - m\n");
}

TEST(ConsoleSink, LeavesOutDebuggingUnlessToldOtherwise) {
  Screen screen;
  const TestEvent event("log", at_level("DEBUG"));
  ASSERT_TRUE(ConsoleSink(screen.print()).emit(event.published()));
  EXPECT_EQ(screen.text, "");
}

TEST(ConsoleSink, ColoursLinesByLevelOnlyWhenTold) {
  Screen screen;
  ConsoleSink sink(screen.print(),
                   {.min_level = event::Level::kDebug, .colour = ConsoleSink::Colour::kAlways});
  for (const auto* level : {"DEBUG", "INFO", "WARNING", "FATAL"}) {
    const TestEvent event("log", at_level(level));
    ASSERT_TRUE(sink.emit(event.published()));
  }
  const std::string time(kTime);
  EXPECT_EQ(screen.text, "\033[90m" + time + "weir - DEBUG - m\033[0m\n" + time +
                             "weir - INFO - m\n" + "\033[33m" + time +
                             "weir - WARNING - m\033[0m\n" + "\033[31m" + time +
                             "weir - FATAL - m\033[0m\n");
}

// A node's error message must not clear the screen, forge a line or end the colour.
TEST(ConsoleSink, ShowsHostileTextHarmlessly) {
  Screen screen;
  ConsoleSink sink(screen.print(), {.colour = ConsoleSink::Colour::kAlways});
  const TestEvent event("log",
                        "\"level\":\"ERROR\",\"message\":\"\\u001b[2J\\nfake\\r\\u202e\","
                        "\"logger\":\"\\u001b[0m\",\"attributes\":{\"k\\n\":\"\\u0007\"}");
  ASSERT_TRUE(sink.emit(event.published()));
  EXPECT_EQ(screen.text, "\033[31m" + std::string(kTime) +
                             "\\u001b[0m - ERROR - \\u001b[2J\\nfake\\r\\u202e k\\n=\\u0007"
                             "\033[0m\n");
}

TEST(ConsoleSink, SaysWhenTheConsoleTakesNothing) {
  ConsoleSink sink([](std::string_view) { return fail(ErrorCode::kExhausted, "no space"); });
  const TestEvent event("pipeline_paused");
  EXPECT_EQ(sink.emit(event.published()).error(), (Error{ErrorCode::kExhausted, "no space"}));
}

TEST(CallbackSink, HandsOverTheEventAndItsErrors) {
  std::string seen;
  CallbackSink sink([&](const Published& event) -> Result<void> {
    seen = event.line;
    return fail(ErrorCode::kIo, "database is away");
  });
  const TestEvent event("pipeline_paused");
  EXPECT_EQ(sink.emit(event.published()).error(), (Error{ErrorCode::kIo, "database is away"}));
  EXPECT_EQ(seen, event.line());
  EXPECT_FALSE(sink.try_emit(event.published()));
}

TEST(CallbackSink, TurnsExceptionsIntoErrors) {
  const TestEvent event("pipeline_paused");
  CallbackSink sink(
      [](const Published&) -> Result<void> { throw std::runtime_error("no such table"); });
  EXPECT_EQ(sink.emit(event.published()).error(),
            (Error{ErrorCode::kUnavailable, "threw std::runtime_error: no such table"}));
  CallbackSink odd([](const Published&) -> Result<void> { throw 7; });
  EXPECT_EQ(odd.emit(event.published()).error().message, "threw int");
  CallbackSink none(nullptr);
  EXPECT_FALSE(none.emit(event.published()));
}

TEST(NullSink, TakesEverything) {
  NullSink sink;
  const TestEvent event("pipeline_paused");
  EXPECT_TRUE(sink.emit(event.published()));
  EXPECT_TRUE(sink.try_emit(event.published()));
  EXPECT_TRUE(sink.flush());
}

}  // namespace
}  // namespace weir::record
