#include "record/field_redaction.h"

#include <gtest/gtest.h>

#include "record/encoding.h"
#include "record/line.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldValue;
using event::Type;

/// The members of the line that the fields make when they are redacted; empty: nothing was masked.
std::string redacted(Type type, std::initializer_list<FieldValue> fields,
                     const event::RedactionPolicy& policy = {}) {
  const auto redactor = *event::Redactor::make(policy);
  FieldRedactor field_redactor(redactor);
  const auto encoded = encode({fields.begin(), fields.size()});
  const auto masked = field_redactor.redact(type, encoded);
  if (!masked) return "";
  std::string line;
  LineRenderer().append(line, {.timestamp = {},
                               .type = type,
                               .level = event::Level::kInfo,
                               .run = "",
                               .seq = 1,
                               .fields = *masked,
                               .constants = {}});
  const auto begin = line.find("\"INFO\"1,") + 8;
  return line.substr(begin, line.size() - begin - 2);
}

constexpr std::string_view kMail = "to ann@example.org";

TEST(FieldRedactor, LetsCleanEventsBe) {
  EXPECT_EQ(redacted(Type::kLog, {{Field::kMessage, std::string_view("grouped 3 rows by origin")},
                                  {Field::kAttributes, event::ObjectText{R"({"rows":3})"}},
                                  {Field::kStepIndex, std::int64_t{4111111111111111}}}),
            "");
}

TEST(FieldRedactor, NoFieldOfTheCatalogueIsSecretByItsName) {
  const auto redactor = *event::Redactor::make({});
  for (const auto& field : event::fields())
    EXPECT_FALSE(redactor.names_secret(field.name)) << field.name;
}

TEST(FieldRedactor, MasksPersonalDataInMessagesAndNotInOtherFields) {
  EXPECT_EQ(redacted(Type::kNodeFailed, {{Field::kErrorMessage, kMail}}),
            R"("error_message":"to [REDACTED:email]","attributes":{"redacted":{"email":1}})");
  EXPECT_EQ(redacted(Type::kNodeFailed, {{Field::kErrorSource, kMail}}), "");
  EXPECT_EQ(redacted(Type::kNodeFailed, {{Field::kNodeId, kMail}}), "");
}

TEST(FieldRedactor, MasksSecretsInEveryTextThatAToolMaySay) {
  constexpr std::string_view kSecret = "password=hunter22";
  for (const auto field :
       {Field::kMessage, Field::kReason, Field::kErrorMessage, Field::kStackTrace,
        Field::kErrorType, Field::kErrorSource, Field::kArtifactPath}) {
    EXPECT_EQ(
        redacted(Type::kLog, {{field, kSecret}}),
        "\"" + std::string(event::info(field).name) +
            R"(":"password=[REDACTED:named_secret]","attributes":{"redacted":{"named_secret":1}})");
  }
}

TEST(FieldRedactor, ReadsAttributesAsWhatTheEventIs) {
  const event::ObjectText attributes{R"({"mail":"ann@example.org"})"};
  const std::string masked = R"("attributes":{"redacted":{"email":1},"mail":"[REDACTED:email]"})";
  EXPECT_EQ(redacted(Type::kLog, {{Field::kAttributes, attributes}}), masked);
  EXPECT_EQ(redacted(Type::kNodeIo, {{Field::kAttributes, attributes}}), masked);
  EXPECT_EQ(redacted(Type::kNodeCompleted, {{Field::kAttributes, attributes}}), "");
}

TEST(FieldRedactor, MasksOutputsAndParameters) {
  EXPECT_EQ(redacted(Type::kNodeCompleted,
                     {{Field::kParams, event::ObjectText{R"({"token":"abcdefgh12345"})"}},
                      {Field::kOutput, event::ObjectText{R"({"to":["ann@example.org"]})"}}}),
            R"("output":{"to":["[REDACTED:email]"]},"params":{"token":"[REDACTED:named_secret]"},)"
            R"("attributes":{"redacted":{"named_secret":1,"email":1}})");
}

TEST(FieldRedactor, KeepsEveryOtherFieldAsItIs) {
  const std::vector<std::string> keys = {"a", "", "c"};
  EXPECT_EQ(redacted(Type::kNodeCompleted, {{Field::kOutputKeys, std::span(keys)},
                                            {Field::kFailedNodeId, nullptr},
                                            {Field::kMessage, kMail},
                                            {Field::kCacheHit, true},
                                            {Field::kDurationMs, 1.5}}),
            R"("duration_ms":1.5,"output_keys":["a","","c"],"cache_hit":true,)"
            R"("failed_node_id":null,"message":"to [REDACTED:email]",)"
            R"("attributes":{"redacted":{"email":1}})");
}

}  // namespace
}  // namespace weir::record
