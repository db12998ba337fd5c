#include "report/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>

#include "report/documents.h"
#include "report/format.h"
#include "report/html.h"
#include "report/moment.h"
#include "report/svg.h"
#include "report/time_ticks.h"

namespace weir::report {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kBegin{1'767'582'000s};  // 2026-01-05T03:00:00Z
constexpr const char* kEvil = "<script>alert('x')</script>&\"\x1b[2J|`*\n# a";

/// What is not well-formed in a page that is XML too; empty: nothing. Knows what the pages have:
/// elements, attributes in double quotes, the five entities, and numbers of characters.
std::string malformed(std::string_view page) {
  std::vector<std::string> open;
  constexpr std::string_view kDoctype = "<!DOCTYPE html>\n";
  if (!page.starts_with(kDoctype)) return "no doctype";
  page.remove_prefix(kDoctype.size());
  while (!page.empty()) {
    if (page[0] == '&') {
      bool known = false;
      for (const auto* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
        known = known || page.starts_with(entity);
      }
      if (!known) return "entity: " + std::string(page.substr(0, 20));
    }
    if (page[0] != '<') {
      if (page[0] == '>') return "a lone >";
      page.remove_prefix(1);
      continue;
    }
    const auto end = page.find('>');
    if (end == std::string_view::npos) return "a tag without an end";
    auto tag = page.substr(1, end - 1);
    page.remove_prefix(end + 1);
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1)) return "closes " + std::string(tag);
      open.pop_back();
      continue;
    }
    const bool is_empty = tag.ends_with('/');
    if (is_empty) tag.remove_suffix(1);
    const auto name = tag.substr(0, tag.find(' '));
    if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0) return "a lone <";
    if (std::ranges::count(tag, '"') % 2 != 0) return "quotes: " + std::string(tag);
    if (!is_empty) open.emplace_back(name);
    if (name == "style") {
      page.remove_prefix(page.find("</style>"));
    }
  }
  return open.empty() ? "" : "open: " + open.back();
}

SummaryReport some_report() {
  SummaryReport report;
  report.window = {
      .since = kBegin, .until = kBegin + 24h, .made_at = kBegin + 24h, .pipeline_id = kEvil};
  report.runs = {
      .total = 3,
      .completed = 2,
      .failed = 1,
      .duration_ms = {
          .count = 3, .average = 1200, .min = 1, .median = 2, .p95 = 3, .max = 3'400'000}};
  report.workflows = 1;
  report.nodes = {.completed = 5,
                  .failed = 1,
                  .rows = 12'345,
                  .memory_bytes = 3'400'000,
                  .rows_per_second = 7968.1};
  report.pipelines = {{kEvil, report.runs}};
  report.slowest_nodes = {{.pipeline_id = kEvil, .node_id = kEvil, .completed = 1, .failed = 1}};
  report.errors = 2;
  report.errors_by_type = {{kEvil, 2, kBegin}};
  report.errors_of_nodes = {{kEvil, kEvil, kEvil, 1}};
  report.agents = {{.agent_id = kEvil, .runs = 1, .success = 1}};
  report.artifacts = {.created = 3, .pending = 1, .approved = 1, .rejected = 1};
  report.bucket = 30min;
  for (int i = 0; i < 48; ++i) {
    report.buckets.push_back({.from = kBegin + i * 30min});
  }
  report.buckets[4] = {.from = kBegin + 2h,
                       .completed = 2,
                       .failed = 1,
                       .median_ms = 1.5,
                       .p95_ms = 1500,
                       .most_runs = 2,
                       .most_nodes = 7};
  report.distribution = {{1, 10, 1}, {10, 100, 0}, {100, 1000, 2}};
  return report;
}

TEST(HtmlReport, IsWellFormedAndNeedsNothingElse) {
  const auto page = render(some_report(), ReportFormat::kHtml);
  EXPECT_EQ(malformed(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  // The only addresses are names of XML's.
  auto rest = page;
  for (const std::string name :
       {"\"http://www.w3.org/2000/svg\"", "\"http://www.w3.org/1999/xhtml\""}) {
    for (auto at = rest.find(name); at != std::string::npos; at = rest.find(name)) {
      rest.erase(at, name.size());
    }
  }
  EXPECT_THAT(rest, Not(HasSubstr("http")));
}

TEST(HtmlReport, EscapesEveryValue) {
  const auto page = render(some_report(), ReportFormat::kHtml);
  EXPECT_THAT(page,
              HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\x1b[2J"));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
}

TEST(HtmlReport, HasAPlotOfEachKindWithAxesAndUnits) {
  const auto page = render(some_report(), ReportFormat::kHtml);
  for (const std::string title :
       {"Runs over time", "Durations over time", "Distribution of durations", "Concurrency"}) {
    EXPECT_THAT(page, HasSubstr(R"(<svg class="plot" role="img" aria-label=")" + title + "\""));
  }
  for (const auto* text : {"Runs over time", "Durations over time", "Distribution of durations",
                           "Concurrency", "time, UTC", "duration of a run", "95th percentile",
                           "2026-01-05 05:00:00 UTC, completed: 2", "3.4 MB", "7.97 k a second"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(HtmlReport, OfEveryKindIsWellFormed) {
  ErrorReport errors{.window = {.since = kBegin, .until = kBegin + 1h}, .total = 2};
  errors.errors.push_back({.error = {.at = kBegin, .node_id = kEvil, .text = kEvil},
                           .before = {{.at = kBegin, .event_type = kEvil}}});
  const WorkflowTrace trace{.id = kEvil,
                            .runs = {{kEvil, kEvil, kEvil, "failed", kBegin, 1.0}},
                            .events = {{.at = kBegin, .run_id = "1", .text = kEvil}},
                            .total_events = 9};
  const AgentReport agents{.agents = some_report().agents};
  const DailySummary day{.date = "2026-01-05"};
  EXPECT_EQ(malformed(render(errors, ReportFormat::kHtml)), "");
  EXPECT_EQ(malformed(render(trace, ReportFormat::kHtml)), "");
  EXPECT_EQ(malformed(render(agents, ReportFormat::kHtml)), "");
  EXPECT_EQ(malformed(render(day, ReportFormat::kHtml)), "");
  EXPECT_EQ(malformed(render(SummaryReport(), ReportFormat::kHtml)), "");
  EXPECT_THAT(render(SummaryReport(), ReportFormat::kHtml), HasSubstr("No run began"));
}

TEST(MalformedPages, AreFound) {
  const std::string head = "<!DOCTYPE html>\n";
  for (const auto* page : {"<p>", "<p></b>", "<p>a & b</p>", "<p a=\"></p>", "< p>", "a > b"}) {
    EXPECT_NE(malformed(head + page), "") << page;
  }
}

TEST(MarkdownReport, LeavesNoMarkupOfOthers) {
  const auto text = render(some_report(), ReportFormat::kMarkdown);
  EXPECT_THAT(text,
              HasSubstr(R"(&lt;script\>alert\('x'\)&lt;/script\>&amp;"\\x1b\[2J\|\`\* \# a)"));
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, HasSubstr("| node | pipeline |"));
}

TEST(TextReport, AlignsColumnsAndIsHarmless) {
  Document document{.title = "T\x1b", .facts = {{"a", "b"}}};
  document.sections.push_back(
      {.title = "S",
       .blocks = {
           Table{.columns = {{"name"}, {"n", Column::Kind::kNumber}},
                 .rows = {{{.text = "Zoë"}, {.text = "1"}}, {{.text = "b"}, {.text = "12"}}}},
           Table{.empty = "none"}, Tiles{{{.label = "x", .value = "1", .note = "y"}}}}});
  EXPECT_EQ(to_text(document),
            "T\\x1b\na: b\n\nS\n  name   n\n  Zoë    1\n  b     12\n\n  none\n\n  x  1  (y)\n");
}

TEST(Numbers, AreAsPeopleReadThem) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(bytes_text(980), "980 B");
  EXPECT_EQ(bytes_text(3'400'000), "3.4 MB");
  EXPECT_EQ(bytes_text(999'999), "1.0 MB");
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(0.9333), "93.3%");
  EXPECT_EQ(percent(0.99999), "99.9%");
  EXPECT_EQ(percent(0.00001), "0.1%");
  EXPECT_EQ(percent(1), "100%");
  EXPECT_EQ(short_number(7968.1), "7.97 k");
  EXPECT_EQ(short_number(0.125), "0.125");
  EXPECT_EQ(short_number(100), "100");
  EXPECT_EQ(short_number(NAN), "–");
  EXPECT_EQ(counted(1, "run"), "1 run");
  EXPECT_EQ(counted(1000, "run"), "1,000 runs");
  EXPECT_EQ(moment(kBegin), "2026-01-05 03:00:00 UTC");
}

TEST(Ticks, AreRound) {
  EXPECT_THAT(round_ticks(9, true), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(round_ticks(1, true), ElementsAre(0, 1));
  EXPECT_THAT(round_ticks(0, false), ElementsAre(0, 1));
  EXPECT_THAT(round_ticks(43, false), ElementsAre(0, 10, 20, 30, 40, 50));
  EXPECT_THAT(duration_ticks(100'000), ElementsAre(0, 30'000, 60'000, 90'000, 120'000));
  EXPECT_EQ(round_width(kBegin, kBegin + 24h, 48), 30min);
  EXPECT_EQ(round_width(kBegin, kBegin + 25h, 48), 1h);
  const auto ticks = time_ticks(kBegin, kBegin + 24h);
  std::vector<std::string> texts;
  texts.reserve(ticks.size());
  for (const auto& tick : ticks) texts.push_back(tick.text);
  EXPECT_THAT(texts, ElementsAre("06:00", "12:00", "18:00", "Jan 6"));
}

TEST(Sparkline, ShowsGapsZerosAndHeights) {
  EXPECT_EQ(sparkline({0.0, std::nullopt, 1.0, 4.0, 8.0}), "· ▁▄█");
  EXPECT_EQ(sparkline({}), "");
}

TEST(Moments, AreReadAsPeopleNameThem) {
  const auto now = kBegin + 90s;
  EXPECT_EQ(parse_moment("24h", now), now - 24h);
  EXPECT_EQ(parse_moment("90s", now), kBegin);
  EXPECT_EQ(parse_moment("2w", now), now - 14 * 24h);
  EXPECT_EQ(parse_moment("today", now), kBegin - 3h);
  EXPECT_EQ(parse_moment("yesterday", now), kBegin - 27h);
  EXPECT_EQ(parse_moment("2026-01-05", now), kBegin - 3h);
  EXPECT_EQ(parse_moment("2026-01-05 03:00", now), kBegin);
  EXPECT_EQ(parse_moment("2026-01-05T04:00:00+01:00", now), kBegin);
  for (const auto* wrong : {"", "h", "24", "-1h", "24 h", "24y", "2026-13-01", "tomorrow",
                            "99999999999999999999h", "999999999w"}) {
    EXPECT_EQ(parse_moment(wrong, now), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace weir::report
