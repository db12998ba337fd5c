#include "record/log_text.h"

#include <gtest/gtest.h>

namespace weir::record {
namespace {

std::string formatted(const std::string& members) {
  event::Decoder decoder;
  const auto event =
      decoder.decode(R"({"timestamp":"2024-01-15T10:30:00.250000Z",)" + members +
                     R"(,"pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)"
                     R"("run_id":"01890a5d-ac96-774b-bcce-b302099a8057","run_seq":1})");
  EXPECT_TRUE(event) << (event ? "" : event.error().message);
  return event ? format_text(**event) : "";
}

TEST(LogText, IsTheTimeTheLoggerTheLevelAndTheMessage) {
  EXPECT_EQ(formatted(R"("event_type":"log","level":"INFO","logger":"stage_interceptor",)"
                      R"("message":"Stage starting: llm")"),
            "2024-01-15 10:30:00.250000 - stage_interceptor - INFO - Stage starting: llm");
}

TEST(LogText, ShowsFieldsAndAttributesQuotedWhereTheyCouldBeMistaken) {
  EXPECT_EQ(formatted(R"("event_type":"log","level":"WARNING","message":"m","node_id":"n",)"
                      R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","duration_ms":1.5,)"
                      R"("cache_hit":true,"output_keys":["a","b"],"reason":"",)"
                      R"("attributes":{"k":"a b=\"c\"","n":null,"o":{"x":1}})"),
            "2024-01-15 10:30:00.250000 - weir - WARNING - m node_id=n duration_ms=1.5 "
            R"(output_keys=["a","b"] cache_hit=true reason="" k="a b=\"c\"" n=null o={"x":1})");
}

TEST(LogText, NamesTheTypeOfWhatIsNoLogLine) {
  EXPECT_EQ(formatted(R"("event_type":"pipeline_paused","level":"INFO")"),
            "2024-01-15 10:30:00.250000 - weir - INFO - [pipeline_paused]");
  EXPECT_EQ(formatted(R"("event_type":"cache_hit","level":"INFO","node_id":"n","message":"m")"),
            "2024-01-15 10:30:00.250000 - weir - INFO - [cache_hit] m node_id=n");
}

// A message must not forge a second line, move the cursor, colour a terminal or turn the text.
TEST(LogText, EscapesWhatATerminalWouldObey) {
  const auto text = formatted(R"("event_type":"log","level":"INFO","logger":"l\n","message":)"
                              R"("a\nb\r\t\u001b[31m\u007f\u0085\u2028\u202e\u2066é",)"
                              R"("attributes":{"k\u001b":["\u009b"],"v":"\u009b","w":"\u202e x"})");
  EXPECT_EQ(text,
            "2024-01-15 10:30:00.250000 - l\\n - INFO - "
            "a\\nb\\r\\t\\u001b[31m\\u007f\\u0085\\u2028\\u202e\\u2066é k\\u001b=[\"\\u009b\"] "
            "v=\\u009b w=\"\\u202e x\"");
}

// Neither is read further than to be shown: the level may be any text, the attributes too many.
TEST(LogText, EscapesLevelsAndAttributesThatItDoesNotKnow) {
  EXPECT_EQ(formatted(R"("event_type":"log","level":"\u001b[2J","message":"m")"),
            "2024-01-15 10:30:00.250000 - weir - \\u001b[2J - m");
  std::string attributes = "\"a0\":\"\xC2\x9B\"";
  for (int i = 1; i < 300; ++i) attributes += ",\"a" + std::to_string(i) + "\":0";
  const auto text = formatted(R"("event_type":"log","level":"INFO","message":"m","attributes":{)" +
                              attributes + "}");
  EXPECT_TRUE(
      text.starts_with(R"(2024-01-15 10:30:00.250000 - weir - INFO - m {"a0":"\u009b","a1":0,)"))
      << text;
  EXPECT_TRUE(text.ends_with("…"));
  EXPECT_LT(text.size(), 1200U);
}

TEST(LogText, CutsLongValues) {
  const auto text = formatted(R"("event_type":"log","level":"INFO","message":"m","reason":")" +
                              std::string(5000, 'x') + "\"");
  EXPECT_EQ(text,
            "2024-01-15 10:30:00.250000 - weir - INFO - m reason=" + std::string(1024, 'x') + "…");
}

}  // namespace
}  // namespace weir::record
