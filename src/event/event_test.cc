#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "event/catalogue.h"
#include "event/decoder.h"
#include "event/schema.h"

namespace weir::event {
namespace {

using testing::HasSubstr;

/// An event with everything that every event has, and `more` members.
std::string line(std::string_view type, std::string_view more = "") {
  return R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + std::string(type) +
         R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)" +
         R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":7)" + std::string(more) + "}";
}

TEST(Catalogue, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const auto& field : fields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_EQ(find_field(field.name), field.field);
    EXPECT_EQ(info(field.field).name, field.name);
  }
  for (const auto& type : types()) {
    EXPECT_EQ(find_type(type.name), type.type);
    EXPECT_EQ(info(type.type).name, type.name);
  }
  EXPECT_FALSE(find_field("no_such_field"));
}

TEST(Catalogue, TakesAnyWellFormedNameForACustomType) {
  EXPECT_EQ(find_type("deploy.started_2"), Type::kCustom);
  for (const char* name : {"", "Deploy", "2nd", "a b", "_x", "é"})
    EXPECT_FALSE(find_type(name)) << name;
  EXPECT_FALSE(find_type(std::string(129, 'a')));
}

TEST(Decoder, GivesTheFieldsOfAnEvent) {
  Decoder decoder;
  const auto text =
      line("log", R"(,"node_id":"n","cpu_ms":1.5,"message":"é\n","attributes":{"a":[1]})");
  const auto event = decoder.decode(text);
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ((*event)->type(), Type::kLog);
  EXPECT_EQ((*event)->run_seq(), 7);
  EXPECT_EQ(weir::to_string((*event)->timestamp()), "2026-01-05T03:00:00.000001Z");
  EXPECT_EQ((*event)->run_id().text(), "019b8a2f-7c00-7000-8000-000000000001");
  EXPECT_EQ((*event)->text(Field::kMessage), "é\n");
  EXPECT_EQ((*event)->number(Field::kCpuMs), 1.5);
  EXPECT_EQ((*event)->text(Field::kAttributes), R"({"a":[1]})");
  EXPECT_FALSE((*event)->has(Field::kToolId));
  EXPECT_EQ((*event)->text(Field::kToolId), "");
}

TEST(Decoder, NamesTheFieldThatIsWrong) {
  Decoder decoder;
  const auto error = [&](const std::string& text) { return decoder.decode(text).error().message; };
  EXPECT_THAT(error(line("log")), HasSubstr("'message' of log is missing"));
  EXPECT_THAT(error(line("log", R"(,"message":1)")), HasSubstr("'message' is not a string"));
  EXPECT_THAT(error(line("log", R"(,"message":null)")), HasSubstr("'message' is null"));
  EXPECT_THAT(error(line("log", R"(,"message":"m","rows":1.5)")),
              HasSubstr("'rows' is not a whole number"));
  EXPECT_THAT(error(line("log", R"(,"message":"m","output_keys":[1])")),
              HasSubstr("'output_keys' is not a list of strings"));
  EXPECT_THAT(error(line("log", R"(,"message":"m","colour":"red")")),
              HasSubstr("unknown field 'colour'"));
  EXPECT_THAT(error(line("No Such", "")), HasSubstr("'event_type'"));
  EXPECT_THAT(error("{}"), HasSubstr("'event_type'"));
  EXPECT_FALSE(decoder.decode("{"));
  EXPECT_FALSE(decoder.decode(line("log", R"(,"message":"m")") + "x"));
}

TEST(Decoder, TakesNullForTheFailedNodeOnly) {
  Decoder decoder;
  const std::string rest = R"(,"duration_ms":1,"error_type":"E","error_message":"m")";
  EXPECT_TRUE(decoder.decode(line("pipeline_failed", rest + R"(,"failed_node_id":null)")));
  EXPECT_TRUE(decoder.decode(line("pipeline_failed", rest + R"(,"failed_node_id":"n")")));
  EXPECT_FALSE(decoder.decode(line("pipeline_failed", rest)));
  const auto twice = decoder.decode(
      line("pipeline_failed", rest + R"(,"failed_node_id":"n","failed_node_id":null)"));
  ASSERT_TRUE(twice);
  EXPECT_FALSE((*twice)->has(Field::kFailedNodeId)) << "the last counts";
}

// Who tells of a run that Weir does not run need not know all of it.
TEST(Decoder, AsksLessOfObservedRuns) {
  Decoder decoder;
  const auto decode = [&](const std::string& pipeline_type, const std::string& rest) {
    auto text = line("pipeline_failed", rest);
    const std::string before = R"("pipeline_type":"dag")";
    return decoder.decode(text.replace(text.find(before), before.size(),
                                       R"("pipeline_type":")" + pipeline_type + '"'));
  };
  const std::string said = R"(,"error_type":"E","error_message":"m")";
  EXPECT_TRUE(decode("external", said));
  EXPECT_FALSE(decode("external", R"(,"error_type":"E")"));
  EXPECT_FALSE(decode("dag", said));
  EXPECT_FALSE(decode("linear", said));
}

// That the schema accepts and rejects what it should is tested with an independent validator.
TEST(Schema, HasABranchForEveryTypeAndOneForCustom) {
  const auto schema = json_schema();
  const auto* branches = schema.object()->find("oneOf")->array();
  EXPECT_EQ(branches->size(), kTypeCount + 1);
  const auto* definitions = schema.object()->find("definitions")->object();
  for (const auto& type : types()) EXPECT_NE(definitions->find(type.name), nullptr) << type.name;
}

}  // namespace
}  // namespace weir::event
