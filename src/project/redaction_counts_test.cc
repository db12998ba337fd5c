#include "project/redaction_counts.h"

#include <gmock/gmock.h>

#include "project/event_feed_testing.h"

namespace weir::project {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing_support::EventFeed;

class RedactionCountsTest : public testing::Test {
 protected:
  void log(const std::string& attributes) {
    feed_.event("log", R"("message":"m","attributes":)" + attributes);
  }

  RedactionCounts counts_;
  EventFeed feed_{
      [this](const event::EventView& event, std::string_view) { counts_.apply(event); }};
};

TEST_F(RedactionCountsTest, SumsEachRuleOverTheEvents) {
  log(R"({"redacted":{"email":2,"named_secret":1}})");
  log(R"({"other":1})");
  log(R"({"other":1,"redacted":{"email":3}})");
  feed_.event("log", R"("message":"redacted")");
  EXPECT_THAT(counts_.by_rule(), ElementsAre(Pair("email", 5U), Pair("named_secret", 1U)));
}

// Attributes are whatever a producer sent.
TEST_F(RedactionCountsTest, TakeNothingFromWhatIsNoCount) {
  log(R"({"redacted":7})");
  log(R"({"redacted":[1]})");
  log(R"({"redacted":{"a":"1","b":-1,"c":0,"d":null,"e":1.5}})");
  log(R"({"inner":{"redacted":{"email":1}}})");
  EXPECT_THAT(counts_.by_rule(), IsEmpty());
}

TEST_F(RedactionCountsTest, HaveALimit) {
  for (std::size_t i = 0; i <= RedactionCounts::kMaxRules; ++i) {
    log(R"({"redacted":{"rule)" + std::to_string(i) + R"(":1}})");
  }
  log(R"({"redacted":{"rule0":1}})");
  EXPECT_EQ(counts_.by_rule().size(), RedactionCounts::kMaxRules);
  EXPECT_EQ(counts_.by_rule().at("rule0"), 2U);
}

}  // namespace
}  // namespace weir::project
