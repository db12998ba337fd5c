#include "record/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "record/logger.h"
#include "record/observation.h"
#include "record/recorded_events.h"

namespace weir::record {
namespace {

using testing_support::attribute_of;
using testing_support::RecordedRun;
using testing_support::text_of;

/// Stands still until it is told.
class StillClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(now_); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now_; }
  void advance(std::chrono::microseconds by) { now_ += by; }

 private:
  std::chrono::microseconds now_{1'700'000'000'000'000};
};

std::string id_of(SpanId id) {
  const auto text = id.text();
  return {text.data(), text.size()};
}

/// The span events by name.
std::map<std::string, json::Object> spans(RecordedRun& recorded) {
  std::map<std::string, json::Object> spans;
  for (auto& event : recorded.events()) {
    if (text_of(event, "event_type") == "span") spans[text_of(event, "operation")] = event;
  }
  return spans;
}

TEST(Tracer, WritesASpanWithItsAttributesEventsAndDuration) {
  StillClock clock;
  RecordedRun recorded(clock);
  const Tracer tracer(&recorded.run(), {.component = "my_service"});
  {
    Span span = tracer.span("process_request", {{"user_id", "u1"}, {"n", 1}});
    span.set_attribute("n", 2);
    clock.advance(std::chrono::microseconds(1500));
    span.add_event("fetched", {{"rows", 10}});
    clock.advance(std::chrono::microseconds(500));
    span.set_ok();
  }
  const auto event = recorded.events().at(0);
  EXPECT_EQ(text_of(event, "event_type"), "span");
  EXPECT_EQ(text_of(event, "level"), "INFO");
  EXPECT_EQ(text_of(event, "component"), "my_service");
  EXPECT_EQ(text_of(event, "operation"), "process_request");
  EXPECT_EQ(text_of(event, "duration_ms"), "2.0");
  EXPECT_EQ(text_of(event, "timestamp"), "2023-11-14T22:13:20.002000Z");
  EXPECT_EQ(text_of(event, "parent_span_id"), "-");
  EXPECT_EQ(json::to_text(*event.find("attributes")),
            R"({"otel.status_code":"OK","span_events":[{"name":"fetched",)"
            R"("timestamp":"2023-11-14T22:13:20.001500Z","attributes":{"rows":10}}],)"
            R"("user_id":"u1","n":2})");
}

TEST(Tracer, NestsSpansAndLogLinesInWhatIsCurrent) {
  RecordedRun recorded;
  Loggers loggers;
  const Tracer tracer(&recorded.run());
  {
    const Span outer = tracer.span("outer");
    {
      const Span inner = tracer.span("inner");
      loggers.logger("a", recorded.run()).info("in the inner one");
    }
    const Span second = tracer.span("second");
  }
  EXPECT_EQ(current_context(), nullptr);

  auto found = spans(recorded);
  const auto outer_id = text_of(found["outer"], "span_id");
  EXPECT_EQ(text_of(found["inner"], "parent_span_id"), outer_id);
  EXPECT_EQ(text_of(found["second"], "parent_span_id"), outer_id);
  EXPECT_EQ(text_of(found["outer"], "parent_span_id"), "-");
  const auto line = recorded.events().at(0);
  EXPECT_EQ(text_of(line, "span_id"), text_of(found["inner"], "span_id"));
  for (const auto& event : recorded.events()) {
    EXPECT_EQ(text_of(event, "trace_id"), text_of(found["outer"], "trace_id"));
  }
}

TEST(Tracer, BeginsInTheRunsTraceWhenNothingIsCurrent) {
  RecordedRun recorded;
  TraceContext root;
  root.trace_id = recorded.trace_id();
  root.span_id = SpanId::make();
  const Tracer tracer(&recorded.run(), {.root = root});
  {
    // Ids without a trace are of whatever trace there is.
    TraceContext ids;
    ids.ids.user_id = "u";
    const auto scope = ids.activate();
    const Span span = tracer.span("s");
  }
  const auto event = recorded.events().at(0);
  EXPECT_EQ(text_of(event, "trace_id"), recorded.trace_id().text());
  EXPECT_EQ(text_of(event, "parent_span_id"), id_of(root.span_id));
  EXPECT_EQ(text_of(event, "user_id"), "u");
}

/// Cleans up in a span of its own.
struct Cleaner {
  const Tracer& tracer;
  ~Cleaner() { const Span span = tracer.span("cleaning up"); }
};

TEST(Tracer, SaysErrors) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  {
    Span span = tracer.span("failed");
    span.record_error("TimeoutError", "too late");
  }
  try {
    [[maybe_unused]] const Cleaner cleaner{tracer};          // NOLINT(*DeadStores): their
    [[maybe_unused]] const Span span = tracer.span("left");  // NOLINT(*DeadStores): ends count
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
    // What is left by it says so; what is opened here is not.
    const Span span = tracer.span("handler");
  }
  {
    Span span = tracer.span("mended");
    span.record_error("E", "m");
    span.set_ok();
  }
  auto found = spans(recorded);
  EXPECT_EQ(text_of(found["failed"], "level"), "ERROR");
  EXPECT_EQ(text_of(found["failed"], "error_type"), "TimeoutError");
  EXPECT_EQ(text_of(found["failed"], "error_message"), "too late");
  EXPECT_EQ(attribute_of(found["failed"], "otel.status_code"), "ERROR");
  EXPECT_EQ(text_of(found["left"], "error_type"), "exception");
  EXPECT_EQ(text_of(found["handler"], "error_type"), "-");
  EXPECT_EQ(text_of(found["cleaning up"], "error_type"), "-");
  EXPECT_EQ(text_of(found["handler"], "attributes"), "-");
  EXPECT_EQ(text_of(found["mended"], "error_type"), "-");
  EXPECT_EQ(text_of(found["mended"], "level"), "INFO");
}

TEST(Tracer, EndsSpansOnceInAnyOrder) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  {
    Span outer = tracer.span("outer");
    Span inner = tracer.span("inner");
    const auto inside = TraceContext::capture();
    outer.end();
    outer.end();
    outer.set_attribute("late", true);
    outer.record_error("E", "late");
    EXPECT_FALSE(outer.is_recording());
    EXPECT_EQ(TraceContext::capture(), inside);
    inner.end();
    // Ended, and still where things happen until the block ends.
    const Span last = tracer.span("last");
    EXPECT_EQ(last.context().parent_span_id.value, inside.span_id.value);
  }
  EXPECT_EQ(current_context(), nullptr);
  EXPECT_EQ(recorded.lines().size(), 3U);
  auto found = spans(recorded);
  EXPECT_EQ(text_of(found["outer"], "attributes"), "-");
  EXPECT_EQ(text_of(found["outer"], "level"), "INFO");
  static_assert(!std::is_move_constructible_v<Span> && !std::is_copy_constructible_v<Span>);
}

TEST(DetachedSpan, IsCurrentNowhereAndCanBeMovedAndEndedInAnyOrder) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  auto first = tracer.detached("first");
  auto second = tracer.detached("second", first.context());
  EXPECT_EQ(current_context(), nullptr);
  const auto first_id = id_of(first.context().span_id);

  DetachedSpan moved = std::move(first);
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move): does nothing any more
  EXPECT_FALSE(first.is_recording());
  first.set_attribute("k", 1);
  first.end();
  moved.set_attribute("k", 2);
  moved = std::move(second);  // ends what was here
  EXPECT_EQ(spans(recorded).size(), 1U);
  moved.end();
  moved.end();

  EXPECT_EQ(recorded.lines().size(), 2U);
  auto found = spans(recorded);
  EXPECT_EQ(attribute_of(found["first"], "k"), "2");
  EXPECT_EQ(text_of(found["second"], "parent_span_id"), first_id);
}

TEST(DetachedSpan, MayHaveSpansInsideItWhereItsContextIsActivated) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  const auto job = tracer.detached("job");
  {
    const auto scope = job.context().activate();
    const Span span = tracer.span("inside");
    EXPECT_EQ(span.context().parent_span_id.value, job.context().span_id.value);
  }
  const Span span = tracer.span("elsewhere", job.context());
  EXPECT_EQ(span.context().parent_span_id.value, job.context().span_id.value);
}

TEST(Tracer, DoesNothingWithoutARun) {
  const Tracer tracer(nullptr);
  {
    Span span = tracer.span("s", {{"k", 1}});
    EXPECT_FALSE(span.is_recording());
    EXPECT_EQ(current_context(), nullptr);
    span.set_attribute("k", 2);
    span.add_event("e");
    span.set_ok();
    span.record_error("E", "m");
    span.end();
  }
  const auto outside = TraceContext::start().child_span();
  const auto scope = outside.activate();
  const Span span = tracer.span("s");
  EXPECT_EQ(span.context(), outside);
}

TEST(Tracer, HoldsAttributesAndEventsToTheirLimits) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  {
    Span span = tracer.span(std::string(2 * DetachedSpan::kMaxNameBytes, 'n'));
    for (std::size_t i = 0; i < DetachedSpan::kMaxAttributes + 5; ++i) {
      span.set_attribute("k" + std::to_string(i), 1);
    }
    span.set_attribute("k0", "changed");
    span.set_attribute(std::string(Observation::kMaxAttributeKeyBytes + 1, 'k'), 1);
    span.add_event("large", {{"text", std::string(DetachedSpan::kMaxEventsBytes, 'x')}});
    for (std::size_t i = 0; i < DetachedSpan::kMaxEvents + 2; ++i) span.add_event("e");
    span.record_error("E", std::string(2 * Observation::kMaxTextBytes, 'm'));
  }
  const auto event = recorded.events().at(0);
  EXPECT_EQ(text_of(event, "operation").size(), DetachedSpan::kMaxNameBytes);
  EXPECT_EQ(text_of(event, "error_message").size(), Observation::kMaxTextBytes);
  EXPECT_EQ(attribute_of(event, "otel.dropped_attributes_count"), "6");
  EXPECT_EQ(attribute_of(event, "otel.dropped_events_count"), "3");
  EXPECT_EQ(attribute_of(event, "k0"), "changed");
  EXPECT_EQ(attribute_of(event, "k127"), "1");
  EXPECT_EQ(attribute_of(event, "weir.left_out"), "-");
  const auto* events = event.find("attributes")->object()->find("span_events");
  ASSERT_EQ(events->array()->size(), DetachedSpan::kMaxEvents);
  EXPECT_EQ(text_of(*events->array()->front().object(), "name"), "e");
}

TEST(Tracer, SaysItsOwnAttributesWhateverTheCallerCallsHis) {
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  {
    Span span = tracer.span("s", {{"otel.status_code", "forged"}, {"span_events", 1}});
    span.set_ok();
  }
  const auto event = recorded.events().at(0);
  EXPECT_EQ(attribute_of(event, "otel.status_code"), "OK");
  EXPECT_EQ(attribute_of(event, "span_events"), "1");
}

TEST(ThreadsTracer, CarriesTheParentIntoOtherThreads) {
  constexpr int kThreads = 4, kSpans = 200;
  RecordedRun recorded;
  const Tracer tracer(&recorded.run());
  std::string outer_id;
  {
    const Span outer = tracer.span("outer");
    outer_id = id_of(outer.context().span_id);
    auto far = tracer.detached("far");
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back(bind([&tracer](auto&&...) {
        for (int i = 0; i < kSpans; ++i) {
          const Span span = tracer.span("bound");
          const Span inner = tracer.span("inner");
        }
      }));
      threads.emplace_back([&tracer, parent = outer.context()] {
        const Span span = tracer.span("explicit", parent);
      });
    }
    // Begun here, ended there.
    threads.emplace_back([span = std::move(far)]() mutable { span.end(); });
  }
  std::map<std::string, int> counts;
  for (const auto& event : recorded.events()) {
    ++counts[text_of(event, "operation")];
    if (text_of(event, "operation") == "inner" || text_of(event, "operation") == "outer") continue;
    EXPECT_EQ(text_of(event, "parent_span_id"), outer_id);
  }
  EXPECT_EQ(counts["bound"], kThreads * kSpans);
  EXPECT_EQ(counts["inner"], kThreads * kSpans);
  EXPECT_EQ(counts["explicit"], kThreads);
  EXPECT_EQ(counts["far"], 1);
}

}  // namespace
}  // namespace weir::record
