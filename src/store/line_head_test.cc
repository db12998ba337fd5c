#include "store/line_head.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/json.h"
#include "event/decoder.h"

namespace weir::store {
namespace {

using event::Field;

/// Lines as the recorder writes them: members in the catalogue's order, some of them, and texts of
/// any length with everything that has to be escaped.
class Lines {
 public:
  std::string next() {
    std::string line = "{";
    const auto add = [&](Field field, const std::string& value) {
      line += line.size() == 1 ? "\"" : ",\"";
      line.append(event::info(field).name).append("\":").append(value);
    };
    for (const auto& field : event::fields()) {
      const auto fixed = value_of(field.field);
      if (!fixed.empty()) {
        add(field.field, fixed);
      } else if (random_() % 4 == 0) {
        add(field.field, any(field.type));
      }
    }
    return line + "}";
  }

 private:
  std::string value_of(Field field) {
    switch (field) {
      case Field::kTimestamp:
        return "\"2026-01-0" + std::to_string(1 + random_() % 9) + "T10:00:00.000001Z\"";
      case Field::kEventType:
        return "\"my.event\"";
      case Field::kLevel:
        return "\"INFO\"";
      case Field::kPipelineType:
        return "\"dag\"";
      case Field::kPipelineId:
      case Field::kPipelineVersion:
        return text();
      case Field::kRunId:
        return "\"" + RunId::make({}).text() + "\"";
      case Field::kRunSeq:
        return std::to_string(random_() % 1'000'000);
      default:
        return {};
    }
  }

  std::string any(event::FieldType type) {
    switch (type) {
      case event::FieldType::kInteger:
        return std::to_string(static_cast<std::int32_t>(random_()));
      case event::FieldType::kNumber:
        return "-1.5e3";
      case event::FieldType::kBoolean:
        return "true";
      case event::FieldType::kStrings:
        return "[" + text() + "," + text() + "]";
      case event::FieldType::kObject:
        return "{" + text() + ":[{" + text() + ":1},\"}\\\\\"]}";
      case event::FieldType::kTimestamp:
      case event::FieldType::kString:
        return text();
    }
    return {};
  }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"\"", "\\",       "}", ",", "ü", "\n",
                                                   "x",  "abcdefgh", ":", "]", "[", "{"};
    std::string raw;
    for (auto pieces = random_() % 12; pieces > 0; --pieces) raw += kPieces[random_() % 12];
    std::string out;
    json::append_string(out, raw);
    return out;
  }

  std::mt19937 random_{7};
};

TEST(LineHeadTest, SaysWhatTheDecoderSays) {
  constexpr int kLines = 20'000;
  Lines lines;
  event::Decoder decoder;
  LineShape shape;
  int whole = 0;
  for (int i = 0; i < kLines; ++i) {
    const auto line = lines.next();
    const auto decoded = decoder.decode(line);
    ASSERT_TRUE(decoded) << decoded.error().message << line;
    const auto& event = **decoded;
    // The last ones are like those before.
    const auto head = i < kLines / 2 ? read_line_head(line) : read_line_head(line, shape);
    ASSERT_TRUE(head) << line;
    EXPECT_EQ(head->run, event.run_id());
    EXPECT_EQ(head->run_seq, event.run_seq());
    EXPECT_EQ(head->date, event.text(Field::kTimestamp).substr(0, kDateSize));
    if (!head->is_whole) {
      // Only of a tenant that is written with an escape.
      EXPECT_NE(event.text(Field::kTenantId).find_first_of("\"\\\n"), std::string_view::npos)
          << line;
      continue;
    }
    ++whole;
    EXPECT_EQ(head->tenant.has_value(), event.has(Field::kTenantId));
    EXPECT_EQ(head->tenant.value_or(""), event.text(Field::kTenantId));
    ASSERT_EQ(head->fields.count(), event.size()) << line;
    for (std::size_t field = 0; field < event::kFieldCount; ++field) {
      EXPECT_EQ(head->fields.test(field), event.has(static_cast<Field>(field)));
    }
  }
  EXPECT_GT(whole, kLines / 2);
}

TEST(LineHeadTest, ALineThatIsCutAnywhereIsNotWhole) {
  Lines lines;
  for (int i = 0; i < 20; ++i) {
    const auto line = lines.next();
    for (std::size_t size = 0; size < line.size(); ++size) {
      // In memory of its own, so that whoever reads on is seen.
      const auto cut = std::make_unique<std::string>(line.substr(0, size));
      const auto head = read_line_head(*cut);
      EXPECT_FALSE(head && head->is_whole) << *cut;
    }
  }
}

TEST(LineHeadTest, MembersInAnotherOrderAreNotWhole) {
  EXPECT_FALSE(read_line_head(R"({"run_seq":1,"timestamp":"2026-01-01T00:00:00.000000Z"})"));
  EXPECT_FALSE(read_line_head("{}"));
  EXPECT_FALSE(read_line_head(""));
  EXPECT_FALSE(read_line_head(R"({"timestamp")"));
}

}  // namespace
}  // namespace weir::store
