#include "store/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SqlText, EndsAStatementAtASemicolonThatIsNotQuoted) {
  const auto first = [](std::string_view sql) {
    const auto end = end_of_statement(sql);
    return std::string(end ? sql.substr(0, *end) : "(open)");
  };
  EXPECT_EQ(first("SELECT 1; SELECT 2;"), "SELECT 1;");
  for (const auto* open :
       {"SELECT 1", "SELECT ';", "SELECT \";", "SELECT 'it''s;", "SELECT 1 -- ;", "/* ; /* */ ;",
        "SELECT $$;", "SELECT $a$; $b$ ;", "SELECT e'\\';", ""}) {
    EXPECT_EQ(first(open), "(open)") << open;
  }
  for (const auto* whole :
       {"SELECT ';' ;", "SELECT \";\" ;", "SELECT 'it''s;' ;", "SELECT 1 -- ;\n ;",
        "SELECT /* ; /* ; */ ; */ 1;", "SELECT $$ ; $$;", "SELECT $a$ ; $$ $a$;", "SELECT $1;",
        "SELECT e'\\';' ;", "SELECT E'\\\\';", "SELECT '\\';", "SELECT a$b;"}) {
    EXPECT_EQ(first(whole), whole);
  }
}

TEST(SqlText, CutsWhatMeansNothingAtTheEnd) {
  EXPECT_EQ(without_end("SELECT 1 ; -- the end\n ; /* x */"), "SELECT 1");
  EXPECT_EQ(without_end("SELECT ';'"), "SELECT ';'");
  EXPECT_EQ(without_end("-- nothing"), "");
}

TEST(SqlText, PutsAStatementOnOneLine) {
  EXPECT_EQ(on_one_line("  SELECT 1, -- one\n\n  'two\nlines' /* x */ ;\n"),
            "SELECT 1, 'two\nlines' ;");
}

std::vector<std::string> texts_of(std::string_view sql) {
  std::vector<std::string> texts;
  for (const auto& plan : explained(sql)) texts.push_back(plan.text());
  return texts;
}

TEST(SqlText, TakesAnExplainApart) {
  EXPECT_THAT(texts_of("/* a */ Explain -- b\n SELECT 1"),
              ElementsAre("EXPLAIN (FORMAT text) SELECT 1"));
  EXPECT_THAT(texts_of("EXPLAIN ANALYZE FROM t"),
              ElementsAre("EXPLAIN (ANALYZE, FORMAT text) FROM t"));
  EXPECT_THAT(
      texts_of("EXPLAIN (FORMAT json) FROM t"),
      ElementsAre("EXPLAIN (FORMAT text) (FORMAT json) FROM t", "EXPLAIN (FORMAT json) FROM t"));
  EXPECT_THAT(texts_of("EXPLAIN"), ElementsAre("EXPLAIN (FORMAT text) "));
  EXPECT_THAT(explained("SELECT 'EXPLAIN'"), IsEmpty());
  EXPECT_THAT(explained("explained"), IsEmpty());
  EXPECT_THAT(explained(""), IsEmpty());
}

TEST(SqlText, TakesNothingButWordsForOptions) {
  EXPECT_THAT(texts_of("EXPLAIN (ANALYZE/* ) */, FORMAT json) SELECT 1"),
              ElementsAre(testing::_, "EXPLAIN (ANALYZE , FORMAT json) SELECT 1"));
  for (const auto* sql :
       {"EXPLAIN (ANALYZE '", "EXPLAIN (FORMAT ') x') SELECT 1", "EXPLAIN (FORMAT $$)$$) SELECT 1",
        "EXPLAIN (a, (b)) SELECT 1", "EXPLAIN (\"a)\") SELECT 1", "EXPLAIN (f\u00a0) SELECT 1",
        "EXPLAIN (/* ) SELECT 1"}) {
    EXPECT_THAT(explained(sql), testing::SizeIs(1)) << sql;
  }
}

TEST(SqlText, KnowsWhatMayCallForbiddenFunctions) {
  for (const auto* sql :
       {"FROM enable_logging()", "FROM \"Enable_Logging\"()", "FROM system.main.enable_logging()",
        "FROM U&\"\\0065nable_logging\"()", "FROM query('FROM x')", "FROM Query /* a */ ('')",
        "FROM \"query\" -- a\n ('')", "SELECT a$$, query('x') $$", "FROM query\u00a0('FROM x')",
        "FROM query \u2003/**/\u3000('')", "FROM \"query\"\ufeff('')",
        "FROM json_execute_serialized_sql(json_serialize_sql(''))"}) {
    EXPECT_TRUE(may_call_forbidden(sql)) << sql;
  }
  for (const auto* sql : {"SELECT count(*) FROM logs WHERE tool_id = 'query'",
                          "SELECT tool_id AS query, (1) FROM logs", "FROM duckdb_logs"}) {
    EXPECT_FALSE(may_call_forbidden(sql)) << sql;
  }
}

}  // namespace
}  // namespace weir::store
