#include "record/observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "record/recorded_events.h"

namespace weir::record {
namespace {

using event::Field;
using event::Level;
using event::Type;
using testing_support::attribute_of;
using testing_support::RecordedRun;
using testing_support::text_of;

json::Object deep(int levels) {
  json::Value value(1);
  for (int i = 0; i < levels; ++i) value = json::Array{value};
  json::Object object;
  object.append({"deep", value});
  return object;
}

TEST(Observation, CutsTextsNotInsideACharacterAndSaysHowMuch) {
  RecordedRun recorded;
  // Of two bytes each, so that the limit is inside one after the first byte.
  std::string text = "x";
  while (text.size() < Observation::kMaxTextBytes + 100) text += "é";
  Observation event;
  event.set(Field::kMessage, std::string_view(text));
  event.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto found = recorded.events().at(0);
  EXPECT_EQ(text_of(found, "message"), text.substr(0, Observation::kMaxTextBytes - 1));
  EXPECT_EQ(attribute_of(found, "weir.cut_bytes"),
            std::to_string(text.size() - Observation::kMaxTextBytes + 1));
}

TEST(Observation, KeepsTheFirstValueOfAFieldAndNoneThatEveryLineHas) {
  RecordedRun recorded;
  Observation event;
  event.set(Field::kMessage, std::string_view("first"));
  event.set(Field::kMessage, std::string_view("second"));
  event.set(Field::kRunId, std::string_view("forged"));
  event.set(Field::kLevel, std::string_view("FATAL"));
  event.set(Field::kAttributes, event::ObjectText{R"({"a":1})"});
  event.set(Field::kDurationMs, std::numeric_limits<double>::quiet_NaN());
  event.set_default(Field::kMessage, "third");
  event.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto found = recorded.events().at(0);
  EXPECT_EQ(text_of(found, "message"), "first");
  EXPECT_EQ(text_of(found, "run_id"), recorded.run().id().text());
  EXPECT_EQ(text_of(found, "level"), "INFO");
  EXPECT_EQ(text_of(found, "duration_ms"), "-");
  EXPECT_EQ(attribute_of(found, "weir.left_out"), "5");
}

// Every field that there is, as long as it may be, of characters that take six bytes each: the
// line must still be one that a segment takes and a decoder reads.
TEST(Observation, StaysBelowTheLimitOfALineWhateverItIsGiven) {
  RecordedRun recorded;
  const std::string text(1 << 20, '\x01');
  const std::vector<std::string> strings(10, std::string(1 << 16, '\x02'));
  json::Object attributes = deep(Observation::kMaxAttributeDepth + 1);
  for (int i = 0; i < 200; ++i)
    attributes.append({"k" + std::to_string(i), text.substr(0, 20'000)});
  Observation event;
  for (const auto& info : event::fields()) {
    if (info.type == event::FieldType::kString) event.set(info.field, std::string_view(text));
    if (info.type == event::FieldType::kStrings) event.set(info.field, std::span(strings));
  }
  event.add_attributes(attributes);
  event.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto lines = recorded.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LT(lines[0].size(), log::kMaxEventBytes / 2);
  EXPECT_NE(attribute_of(recorded.events().at(0), "weir.left_out"), "-");
}

TEST(Observation, LeavesOutAttributesThatAreTooManyTooLongOrTooDeep) {
  RecordedRun recorded;
  Observation first;
  first.set(Field::kMessage, std::string_view("m"));
  first.add_attributes(deep(Observation::kMaxAttributeDepth));
  first.add_attributes(deep(Observation::kMaxAttributeDepth + 1));
  first.add_attribute(std::string(Observation::kMaxAttributeKeyBytes + 1, 'k'), 1);
  first.add_attribute("text", std::string(Observation::kMaxAttributeTextBytes + 7, 't'));
  first.add_attribute("list", json::Array{std::string(Observation::kMaxAttributesBytes, 't')});
  first.add_attribute("last", true);
  first.emit(recorded.run(), Type::kLog, Level::kInfo);
  Observation second;
  second.set(Field::kMessage, std::string_view("m"));
  for (std::size_t i = 0; i < Observation::kMaxAttributes + 3; ++i) {
    second.add_attribute(std::to_string(i), 1);
  }
  second.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto events = recorded.events();
  EXPECT_NE(attribute_of(events[0], "deep"), "-");
  EXPECT_EQ(attribute_of(events[0], "text").size(), Observation::kMaxAttributeTextBytes);
  EXPECT_EQ(attribute_of(events[0], "list"), "-");
  EXPECT_EQ(attribute_of(events[0], "last"), "true");
  EXPECT_EQ(attribute_of(events[0], "weir.cut_bytes"), "7");
  EXPECT_EQ(attribute_of(events[0], "weir.left_out"), "3");
  EXPECT_EQ(attribute_of(events[1], "weir.left_out"), "3");
}

TEST(Observation, SaysWhereInWhichTraceAndForWhom) {
  RecordedRun recorded;
  auto context = TraceContext::start().child_span().child_span();
  context.ids.tenant_id = "tenant";
  context.ids.request_id = "request";
  context.ids.user_id = "of the context";
  {
    const auto scope = context.activate();
    Observation event;
    event.set(Field::kMessage, std::string_view("m"));
    event.set(Field::kUserId, std::string_view("own"));
    event.emit(recorded.run(), Type::kLog, Level::kInfo);
  }
  Observation outside;
  outside.set(Field::kMessage, std::string_view("m"));
  outside.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto events = recorded.events();
  const auto ids = context.to_object();
  EXPECT_EQ(text_of(events[0], "trace_id"), context.trace_id.text());
  EXPECT_EQ(text_of(events[0], "span_id"), text_of(ids, "span_id"));
  EXPECT_EQ(text_of(events[0], "parent_span_id"), text_of(ids, "parent_span_id"));
  EXPECT_EQ(text_of(events[0], "tenant_id"), "tenant");
  EXPECT_EQ(text_of(events[0], "request_id"), "request");
  EXPECT_EQ(text_of(events[0], "user_id"), "own");
  EXPECT_EQ(text_of(events[1], "trace_id"), recorded.trace_id().text());
  EXPECT_EQ(text_of(events[1], "span_id"), "-");
}

// The span of one trace beside the id of another would be a span that never was.
TEST(Observation, IsInNoSpanOfTheContextWhenItNamesAnotherTrace) {
  RecordedRun recorded;
  const auto other = TraceId::make().text();
  const auto scope = TraceContext::start().child_span().activate();
  Observation event;
  event.set(Field::kMessage, std::string_view("m"));
  event.set(Field::kTraceId, std::string_view(other));
  event.emit(recorded.run(), Type::kLog, Level::kInfo);

  const auto found = recorded.events().at(0);
  EXPECT_EQ(text_of(found, "trace_id"), other);
  EXPECT_EQ(text_of(found, "span_id"), "-");
}

}  // namespace
}  // namespace weir::record
