#include "server/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::server {
namespace {

using testing::HasSubstr;

Route list_route() {
  return {.method = http::verb::get,
          .path = "/list",
          .scope = Scope::kRead,
          .summary = "a list",
          .parameters = {{"id", "path", "string", "of it"},
                         {"state", "query", "string", "in it", {"running", "failed"}},
                         {"step", "query", "integer", "from"},
                         {"since", "query", "time", "from"},
                         {"name", "query", "string", "so"}}};
}

std::string complaint(std::vector<std::pair<std::string, std::string>> query) {
  Request request;
  request.query = std::move(query);
  const auto checked = check_query(list_route(), request);
  return checked ? "" : checked.error().message;
}

TEST(Parameters, AreThoseThatTheRouteDeclaresAndOfTheirType) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({{"state", "failed"}, {"step", "0"}, {"since", "2026-01-05"}, {"name", ""}}),
            "");
  EXPECT_THAT(complaint({{"id", "x"}}), HasSubstr("'id' is no parameter here: state"));
  EXPECT_THAT(complaint({{"State", "failed"}}), HasSubstr("no parameter"));
  EXPECT_THAT(complaint({{"state", "bogus"}}), HasSubstr("state: one of running, failed"));
  EXPECT_THAT(complaint({{"step", "1"}, {"step", "2"}}), HasSubstr("given twice"));
  for (const auto* wrong : {"", "-1", "1.5", "x", "99999999999999999999", " 1"})
    EXPECT_THAT(complaint({{"step", wrong}}), HasSubstr("step: a number")) << wrong;
  for (const auto* wrong :
       {"", "never", "2026", "2026-13-01", "2026-01-05 25:00", "2026-01-05 3:00"})
    EXPECT_THAT(complaint({{"since", wrong}}), HasSubstr("since: a time")) << wrong;
}

TEST(Parameters, GiveTimesAsPeopleWriteThem) {
  const auto moment = *parse_rfc3339("2026-01-05T03:00:00Z");
  for (const auto* text : {"2026-01-05T03:00:00Z", "2026-01-05T04:00:00+01:00", "2026-01-05 03:00",
                           "2026-01-05T03:00", "2026-01-05 03:00:00"}) {
    EXPECT_EQ(moment_of(text), moment) << text;
  }
  EXPECT_EQ(moment_of("2026-01-05"), moment - std::chrono::hours(3));
  EXPECT_EQ(time_sql("1970-01-01T00:00:01Z"), "make_timestamp(1000000)");
}

}  // namespace
}  // namespace weir::server
