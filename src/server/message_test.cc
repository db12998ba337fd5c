#include "server/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/page.h"
#include "server/router.h"

namespace weir::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(Target, IsSplitBeforeItIsDecoded) {
  const auto target = parse_target("/api/v1/runs/a%2Fb?x=1+2&y=%26&z&x=3");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/runs/a%2Fb");
  EXPECT_THAT(target->segments, ElementsAre("api", "v1", "runs", "a/b"));
  EXPECT_THAT(target->query,
              ElementsAre(Pair("x", "1 2"), Pair("y", "&"), Pair("z", ""), Pair("x", "3")));
}

TEST(Target, ThatIsNoneIsRefused) {
  for (const auto* wrong : {"", "*", "http://x/", "/a%2", "/a%zz", "/a?b=%", "/a%00b"}) {
    EXPECT_FALSE(parse_target(wrong)) << wrong;
  }
}

TEST(Problem, SaysItsStatusAndDetail) {
  const auto response = problem({ErrorCode::kNotFound, "there is no \"run\""});
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
            "\"detail\":\"there is no \\\"run\\\"\"}\n");
}

TEST(Problem, OfOursSaysNoPath) {
  EXPECT_EQ(without_paths("write /srv/my night/.weir/log/a-1.jsonl: No space left on device"),
            "write a-1.jsonl: No space left on device");
  EXPECT_EQ(without_paths("IO Error: cannot open \"/srv/.weir/x\": either/or"),
            "IO Error: cannot open \"x\": either/or");
  EXPECT_EQ(without_paths("/a/b: /c"), "b: c");
  EXPECT_EQ(without_paths("too much waits for the disk"), "too much waits for the disk");
  const Error full{ErrorCode::kExhausted, "write /srv/.weir/log/a: no space"};
  EXPECT_THAT(problem(full).body, Not(HasSubstr("/srv")));
  EXPECT_THAT(problem(full).body, HasSubstr("write a: no space"));
  EXPECT_THAT(problem(400, "'/srv' is no name").body, HasSubstr("'/srv'"));
}

constexpr KeyColumn kTestKey[] = {{"a", KeyColumn::Type::kNumber}, {"coalesce(b, '')"}};

TEST(Cursor, SaysNumbersAndQuotedTextsAndNothingElse) {
  EXPECT_THAT(*literals_of(kTestKey, {"-7", "it's"}), ElementsAre("-7::BIGINT", "'it''s'"));
  EXPECT_TRUE(literals_of(kTestKey, {})->empty());
  for (const Cursor& wrong :
       {Cursor{"", ""}, Cursor{"1; DROP", ""}, Cursor{"1"}, Cursor{"1", "", ""}})
    EXPECT_EQ(literals_of(kTestKey, wrong).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(key_columns_sql(kTestKey), "a AS weir_key0, coalesce(b, '') AS weir_key1");
  EXPECT_EQ(key_sql(kTestKey), "(a, coalesce(b, ''))");
}

TEST(Page, ShowsWhatItHasAndWhereTheNextOneBegins) {
  const Table table{.columns = {"x", "weir_key0", "weir_key1"},
                    .rows = {{json::Value(1), json::Value(5), json::Value("p")},
                             {json::Value(), json::Value(6), json::Value("q")},
                             {json::Value(3), json::Value(7), json::Value("r")}}};
  EXPECT_EQ(list_answer(table, kTestKey, {.limit = 2}).body,
            "{\"next\":\"" + to_text({"6", "q"}) + "\",\"items\":[{\"x\":1},{}]}\n");
  EXPECT_EQ(list_answer(table, kTestKey, {.limit = 3}).body,
            "{\"next\":null,\"items\":[{\"x\":1},{},{\"x\":3}]}\n");
}

TEST(Cursor, ReadsBackAndNothingElseDoes) {
  const Cursor cursor{"2026-01-01 00:00:00", "id \xC3\xA4 \"quoted\""};
  EXPECT_EQ(*parse_cursor(to_text(cursor)), cursor);
  for (const auto* wrong : {"a", "zz", "5b", "7b7d", "5b315d"})
    EXPECT_FALSE(parse_cursor(wrong)) << wrong;
}

Request with_query(std::vector<std::pair<std::string, std::string>> query) {
  Request request;
  request.query = std::move(query);
  return request;
}

TEST(Page, HasALimitBetweenOneAndAThousand) {
  EXPECT_EQ(page_of_request(with_query({}))->limit, Page::kUsual);
  EXPECT_EQ(page_of_request(with_query({{"limit", "1000"}}))->limit, 1000U);
  for (const auto* wrong : {"0", "1001", "-1", "x", "", "1 "}) {
    const auto page = page_of_request(with_query({{"limit", wrong}}));
    ASSERT_FALSE(page) << wrong;
    EXPECT_THAT(page.error().message, HasSubstr("from 1 to 1000"));
  }
  EXPECT_FALSE(page_of_request(with_query({{"cursor", to_text({})}})));
}

TEST(Router, TellsPathsAndMethodsApart) {
  const Router router(
      {{.method = http::verb::get, .path = "/a/{x}", .scope = {}, .summary = ""},
       {.method = http::verb::post, .path = "/a/{x}", .scope = {}, .summary = ""},
       {.method = http::verb::get, .path = "/a/b/{x}/c", .scope = {}, .summary = ""}});
  const auto match = router.find(http::verb::post, {"a", "7"});
  ASSERT_EQ(match.route, &router.routes()[1]);
  EXPECT_THAT(match.segments, ElementsAre("7"));
  EXPECT_EQ(router.find(http::verb::head, {"a", "7"}).route, &router.routes()[0]);
  EXPECT_EQ(router.find(http::verb::delete_, {"a", "7"}).allowed, "GET, POST");
  EXPECT_EQ(router.find(http::verb::get, {"a", ""}).allowed, "");
  EXPECT_EQ(router.find(http::verb::get, {"a", "b", "x", "d"}).route, nullptr);
}

}  // namespace
}  // namespace weir::server
