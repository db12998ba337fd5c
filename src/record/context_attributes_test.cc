#include "record/context_attributes.h"

#include <gtest/gtest.h>

#include "record/observation.h"
#include "record/recorded_events.h"

namespace weir::record {
namespace {

using testing_support::RecordedRun;
using testing_support::text_of;

CorrelationIds some_ids() {
  CorrelationIds ids;
  ids.interaction_id = "chat-3";
  ids.extra = {{"customer_id", "c9"}, {"node_id", "a field's name"}};
  ids.workflow_name = "write-paper";
  ids.workflow_version = "1.0.0";
  ids.session_started_at = parse_rfc3339("2024-12-13T09:30:00Z");
  ids.previous_steps = {{.step_id = "outline",
                         .run_id = "run-0",
                         .completed_at = parse_rfc3339("2024-12-13T09:45:00Z")}};
  return ids;
}

TEST(ContextAttributes, AreReadAsTheyWereWritten) {
  const auto ids = some_ids();
  auto all = context_attributes(ids);
  EXPECT_EQ(json::to_text(json::Value(all)), R"({"interaction_id":"chat-3","customer_id":"c9"})");
  add_missing(all, run_context_attributes(ids));
  CorrelationIds read;
  read_context_attributes(all, read);
  EXPECT_EQ(read.interaction_id, "chat-3");
  EXPECT_EQ(read.workflow_name, "write-paper");
  EXPECT_EQ(read.workflow_version, "1.0.0");
  EXPECT_EQ(read.session_started_at, ids.session_started_at);
  EXPECT_EQ(read.previous_steps, ids.previous_steps);
  EXPECT_TRUE(run_context_attributes({}).empty());

  json::Object wrong;
  wrong.set("interaction_id", 7);
  wrong.set("previous_steps", "none");
  CorrelationIds nothing;
  read_context_attributes(wrong, nothing);
  EXPECT_EQ(nothing, CorrelationIds());
}

TEST(ContextAttributes, AreThoseOfTheContextWhereTheEventSaysNoOther) {
  RecordedRun recorded;
  auto context = TraceContext::start();
  context.ids = some_ids();
  const auto scope = context.activate();
  Observation event;
  event.set(event::Field::kMessage, std::string_view("m"));
  event.add_attribute("customer_id", "mine");
  event.emit(recorded.run(), event::Type::kLog, event::Level::kInfo);
  EXPECT_EQ(text_of(recorded.events().at(0), "attributes"),
            R"({"customer_id":"mine","interaction_id":"chat-3"})");
}

}  // namespace
}  // namespace weir::record
