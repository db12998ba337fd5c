#include "event/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weir::event {
namespace {

using testing::HasSubstr;

/// The value that the tests give a required field.
std::string value_of(Field field) {
  switch (info(field).type) {
    case FieldType::kString:
      return R"("x")";
    case FieldType::kInteger:
      return "1";
    case FieldType::kNumber:
      return "1.5";
    case FieldType::kBoolean:
      return "true";
    case FieldType::kTimestamp:
      return R"("2026-01-05T03:00:00.000001Z")";
    case FieldType::kStrings:
      return "[]";
    case FieldType::kObject:
      return "{}";
  }
  return "null";
}

/// A line of the type with everything that it must have; node ids are `node`, as JSON text.
std::string line_of(std::string_view type, std::string_view node = R"("n")") {
  std::string line =
      R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + std::string(type) +
      R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)" +
      R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":7)";
  const auto known = find_type(type);
  if (known && *known != Type::kCustom) {
    for (const auto field : info(*known).required) {
      line += ",\"" + std::string(info(field).name) +
              "\":" + (field == Field::kNodeId ? std::string(node) : value_of(field));
    }
  }
  return line + "}";
}

std::string topic_of_line(const std::string& line) {
  Decoder decoder;
  const auto event = decoder.decode(line);
  if (!event) return event.error().message;
  return topic_of(**event);
}

std::vector<std::string> words_of(std::string_view topic) {
  std::vector<std::string> words(1);
  for (const char c : topic) {
    if (c == '.') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

TopicPattern pattern(std::string_view text) { return *TopicPattern::parse(text); }

TEST(Topic, SaysSeed002sWords) {
  EXPECT_EQ(topic_of_line(line_of("pipeline_started")), "pipeline.started");
  EXPECT_EQ(topic_of_line(line_of("pipeline_cancelled")), "pipeline.cancelled");
  EXPECT_EQ(topic_of_line(line_of("pipeline_node_started", R"("llm")")), "stage.llm.started");
  EXPECT_EQ(topic_of_line(line_of("pipeline_node_completed")), "stage.n.completed");
  EXPECT_EQ(topic_of_line(line_of("pipeline_node_failed")), "stage.n.failed");
  EXPECT_EQ(topic_of_line(line_of("pipeline_node_skipped")), "stage.n.skipped");
  EXPECT_EQ(topic_of_line(line_of("node_wide")), "stage.wide");
  EXPECT_EQ(topic_of_line(line_of("pipeline_wide")), "pipeline.wide");
  EXPECT_EQ(topic_of_line(line_of("tool_denied")), "tool.denied");
  EXPECT_EQ(topic_of_line(line_of("tool_undo_failed")), "tool.undo_failed");
  EXPECT_EQ(topic_of_line(line_of("approval_requested")), "approval.requested");
  EXPECT_EQ(topic_of_line(line_of("guard_retry_attempt")), "guard_retry.attempt");
  EXPECT_EQ(topic_of_line(line_of("stream_chunk_dropped")), "stream.chunk_dropped");
  EXPECT_EQ(topic_of_line(line_of("pipeline_child_spawned")), "pipeline.spawned_child");
}

TEST(Topic, OfACustomTypeIsItsNameUnderCustom) {
  EXPECT_EQ(topic_of_line(line_of("deploy.started_2")), "custom.deploy.started_2");
  EXPECT_EQ(topic_of_line(line_of("custom.processing_started")), "custom.processing_started");
  EXPECT_EQ(topic_of_line(line_of("customer_won")), "custom.customer_won");
}

TEST(Topic, EveryTypeOfTheCatalogueHasOneThatNoOtherTypeCanHave) {
  for (const auto& type : types()) {
    const auto form = topic_form(type.type);
    EXPECT_FALSE(form.empty()) << type.name;
    EXPECT_NE(words_of(form)[0], "custom") << type.name;
    // As a pattern, with any node id, it takes its own topics and no other type's.
    std::string any_node(form);
    if (const auto at = any_node.find(kNodeWord); at != std::string::npos) {
      any_node.replace(at, kNodeWord.size(), "*");
    }
    const auto own = TopicPattern::parse(any_node);
    ASSERT_TRUE(own) << form;
    for (const auto& other : types()) {
      const auto topic = topic_of_line(line_of(other.name, R"("any.node")"));
      EXPECT_EQ(own->matches(topic), &other == &type) << form << " and " << topic;
    }
  }
}

TEST(Topic, ANodeIdStaysOneWord) {
  for (const auto* id : {"a.b", "a b", "*", "#", "a%2Eb", "\\\"", "é", "wide", "\\u0000", ""}) {
    const auto topic =
        topic_of_line(line_of("pipeline_node_started", "\"" + std::string(id) + "\""));
    EXPECT_EQ(words_of(topic).size(), 3U) << topic;
    EXPECT_TRUE(pattern("stage.*.started").matches(topic)) << topic;
    EXPECT_TRUE(pattern(topic).matches(topic)) << topic;
  }
}

TEST(Topic, WordsOfDifferentNodeIdsDiffer) {
  EXPECT_EQ(topic_word("load_orders-2~x"), "load_orders-2~x");
  EXPECT_EQ(topic_word("a.b"), "a%2Eb");
  EXPECT_EQ(topic_word("a%2Eb"), "a%252Eb");
  EXPECT_EQ(topic_word("é"), "%C3%A9");
  EXPECT_EQ(topic_word(""), "%");
  EXPECT_EQ(topic_word("%"), "%25");
}

TEST(TopicPattern, WordsStandForThemselves) {
  EXPECT_TRUE(pattern("tool.denied").matches("tool.denied"));
  EXPECT_FALSE(pattern("tool.denied").matches("tool.denied.x"));
  EXPECT_FALSE(pattern("tool.denied").matches("tool"));
  EXPECT_FALSE(pattern("tool.denied").matches("tool.deniedx"));
  EXPECT_FALSE(pattern("tool.denied").matches("tool.denie"));
}

TEST(TopicPattern, AStarIsOneWord) {
  EXPECT_TRUE(pattern("stage.*.failed").matches("stage.llm.failed"));
  EXPECT_FALSE(pattern("stage.*.failed").matches("stage.llm.started"));
  EXPECT_FALSE(pattern("stage.*.failed").matches("stage.failed"));
  EXPECT_FALSE(pattern("stage.*").matches("stage.llm.failed"));
  EXPECT_FALSE(pattern("stage.*").matches("stage"));
  EXPECT_TRUE(pattern("*.*").matches("tool.denied"));
  EXPECT_TRUE(pattern("*").matches("audit"));
}

TEST(TopicPattern, AHashIsTheRestOrNothing) {
  EXPECT_TRUE(pattern("#").matches("audit"));
  EXPECT_TRUE(pattern("#").matches("stage.llm.failed"));
  EXPECT_TRUE(pattern("stage.#").matches("stage"));
  EXPECT_TRUE(pattern("stage.#").matches("stage.wide"));
  EXPECT_TRUE(pattern("stage.#").matches("stage.llm.failed"));
  EXPECT_FALSE(pattern("stage.#").matches("stages.wide"));
  EXPECT_TRUE(pattern("*.llm.#").matches("stage.llm.failed"));
}

TEST(TopicPattern, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    const auto parsed = TopicPattern::parse(text);
    return parsed ? std::string("taken") : parsed.error().message;
  };
  EXPECT_THAT(error("a.#.b"), HasSubstr("topic pattern 'a.#.b': '#' stands for the rest"));
  EXPECT_THAT(error("#.#"), HasSubstr("only be the last word"));
  EXPECT_THAT(error("stage.l*"), HasSubstr("whole words"));
  EXPECT_THAT(error("stage#"), HasSubstr("whole words"));
  EXPECT_THAT(error(""), HasSubstr("empty word"));
  EXPECT_THAT(error("stage..x"), HasSubstr("empty word"));
  EXPECT_THAT(error("stage."), HasSubstr("empty word"));
  EXPECT_THAT(error("stage.a b"), HasSubstr("words have letters"));
  EXPECT_THAT(error(std::string(kMaxPatternBytes + 1, 'a')), HasSubstr("too long"));
  EXPECT_EQ(error(std::string(kMaxPatternBytes, 'a')), "taken");
}

}  // namespace
}  // namespace weir::event
