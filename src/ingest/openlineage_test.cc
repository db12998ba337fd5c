#include "ingest/openlineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "ingest/taken_testing.h"

namespace weir::ingest {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct TakenLineage {
  std::vector<std::string> lines{};
  std::vector<EventKey> keys{};
  std::vector<std::string> reasons{};
  bool is_error = false;
};

TakenLineage take_posted(std::string_view body) {
  LineMaker maker(usual_redactor(), "", "req");
  const auto rejections = take_lineage(body, maker);
  const auto lines = *maker.take();
  TakenLineage taken{.lines = checked_lines(lines), .is_error = !rejections};
  for (const auto& place : lines.places) taken.keys.push_back(place.key);
  if (!rejections) return taken;
  for (const auto& one : rejections->named) taken.reasons.push_back(one.reason);
  return taken;
}

constexpr std::string_view kLineageRun = "0176a8c2-fe01-7439-87e6-56a1a1b4029f";
constexpr std::string_view kParent = "0176a8c2-fe00-7439-87e6-56a1a1b4029f";

/// A run event; `facets` of the run, `rest` behind the job.
std::string run_event(const std::string& type, const std::string& facets = "",
                      const std::string& rest = "", std::string_view run = kLineageRun) {
  return R"({"eventType":")" + type +
         R"(","eventTime":"2026-01-05T03:00:00.5+01:00","run":{"runId":")" + std::string(run) +
         R"(","facets":{)" + facets +
         R"(}},"job":{"namespace":"food","name":"dag.orders","facets":{"jobType":)" +
         R"({"processingType":"BATCH","integration":"AIRFLOW","jobType":"TASK"}}})" + rest + "}";
}

const std::string kParentFacet = R"("parent":{"run":{"runId":")" + std::string(kParent) +
                                 R"("},"job":{"namespace":"food","name":"dag"}})";

std::string lineage_line(const std::string& event) {
  const auto taken = take_posted(event);
  EXPECT_THAT(taken.reasons, IsEmpty());
  return taken.lines.empty() ? "" : taken.lines[0];
}

std::string lineage_reason(const std::string& event) {
  const auto taken = take_posted(event);
  EXPECT_THAT(taken.lines, IsEmpty());
  return taken.reasons.empty() ? "" : taken.reasons[0];
}

TEST(OpenLineage, BeginsAndEndsRuns) {
  EXPECT_THAT(
      lineage_line(run_event("START")),
      HasSubstr(R"({"timestamp":"2026-01-05T02:00:00.500000Z","event_type":"pipeline_started",)"
                R"("level":"INFO","pipeline_type":"external","pipeline_id":"food.dag.orders",)"
                R"("pipeline_version":"","run_id":"0176a8c2-fe01-7439-87e6-56a1a1b4029f",)"
                R"("run_seq":1000000000000000,"project_id":"food","adapter":"AIRFLOW",)"
                R"("trace_id":"0176a8c2fe01743987e656a1a1b4029f","span_id":")"));
  EXPECT_THAT(lineage_line(run_event("COMPLETE")),
              AllOf(HasSubstr("pipeline_completed"), Not(HasSubstr("duration_ms")),
                    HasSubstr(R"("pipeline_name":"dag.orders")"),
                    HasSubstr(R"("source":"openlineage","source_run_id":"0176a8c2-fe01)")));
  EXPECT_THAT(lineage_line(run_event("ABORT")),
              HasSubstr(R"("pipeline_cancelled","level":"WARNING")"));
  EXPECT_THAT(
      lineage_line(run_event("FAIL",
                             R"("errorMessage":{"message":"no table","programmingLanguage":"JAVA",)"
                             R"("stackTrace":"at x"})")),
      AllOf(HasSubstr(R"("event_type":"pipeline_failed","level":"ERROR")"),
            HasSubstr(R"("error_type":"JAVA","error_message":"no table","stack_trace":"at x")")));
  EXPECT_THAT(lineage_line(run_event("FAIL")), HasSubstr(R"("error_type":"OpenLineageError")"));
}

TEST(OpenLineage, ThatDoesNotEndARunIsOfATypeOfItsOwn) {
  EXPECT_THAT(lineage_line(run_event("RUNNING")),
              HasSubstr(R"("event_type":"openlineage.running")"));
  EXPECT_THAT(lineage_line(run_event("OTHER")), HasSubstr(R"("event_type":"openlineage.other")"));
  const auto none =
      R"({"eventTime":"2026-01-05T03:00:00Z","run":{"runId":"r"},"job":{"namespace":"n","name":"j"}})";
  EXPECT_THAT(lineage_line(none), HasSubstr(R"("event_type":"openlineage.other")"));
  EXPECT_THAT(lineage_line(run_event("complete")), HasSubstr("pipeline_completed"));
}

TEST(OpenLineage, KeepsAllThatAnEventSays) {
  const auto line = lineage_line(
      run_event("START", "\n\"odd\" : {\"a b\":[1.50,\t{\"c\":null}]}", R"(,"more":1)"));
  EXPECT_THAT(line, AllOf(HasSubstr(R"("attributes":{"openlineage":{"eventType":"START",)"),
                          HasSubstr(R"("facets":{"odd":{"a b":[1.50,{"c":null}]}})"),
                          HasSubstr(R"("more":1}})")));
  EXPECT_THAT(
      lineage_line(run_event("START", R"("environmentVariables":{"environmentVariables":)"
                                      R"([{"name":"DB_PASSWORD","value":"hunter2hunter2"}]})")),
      Not(HasSubstr("hunter2")));
}

TEST(OpenLineage, OfARunWithAParentIsAlsoOfANodeOfTheParentsRun) {
  const auto taken =
      take_posted("[" + run_event("START", kParentFacet) + "," +
                  run_event("FAIL", kParentFacet + R"(,"errorMessage":{"message":"m"})",
                            R"(,"outputs":[{"namespace":"s","name":"t","outputFacets":)"
                            R"({"outputStatistics":{"rowCount":7,"size":100}}}])") +
                  "," + run_event("RUNNING", kParentFacet) + "]");
  ASSERT_THAT(taken.lines, SizeIs(5));
  EXPECT_THAT(taken.lines[0],
              HasSubstr(R"("parent_run_id":"0176a8c2-fe00-7439-87e6-56a1a1b4029f")"));
  EXPECT_THAT(taken.lines[1],
              AllOf(HasSubstr(R"("event_type":"pipeline_node_started")"),
                    HasSubstr(R"("pipeline_id":"food.dag")"),
                    HasSubstr(R"("run_id":"0176a8c2-fe00-7439-87e6-56a1a1b4029f")"),
                    HasSubstr(R"("node_id":"dag.orders","plugin_id":"AIRFLOW","tool_id":"TASK")"),
                    HasSubstr(R"("target_run_id":"0176a8c2-fe01-7439-87e6-56a1a1b4029f")")));
  EXPECT_THAT(taken.lines[3], AllOf(HasSubstr(R"("event_type":"pipeline_node_failed")"),
                                    HasSubstr(R"("error_message":"m")"),
                                    HasSubstr(R"("written_bytes":100,"rows":7)")));
  EXPECT_THAT(taken.lines[4], HasSubstr("openlineage.running"));
  const auto id = [](const std::string& line, const std::string& name) {
    const auto event = json::parse(line);
    const auto* found = event->object()->find(name);
    return found == nullptr ? std::string() : *found->string();
  };
  // One node is one span, below that of the parent's run.
  EXPECT_EQ(id(taken.lines[1], "span_id"), id(taken.lines[3], "span_id"));
  EXPECT_EQ(id(taken.lines[1], "trace_id"), "0176a8c2fe00743987e656a1a1b4029f");
  const auto parents = lineage_line(run_event("START", "", "", kParent));
  EXPECT_EQ(id(taken.lines[1], "parent_span_id"), id(parents, "span_id"));
}

TEST(OpenLineage, CountsWhatItsDatasetsSay) {
  const auto sized = [](const std::string& facet, const std::string& size) {
    return R"({"namespace":"s","name":"t",")" + facet + R"(Facets":{")" + facet +
           R"(Statistics":{"rowCount":2,"size":)" + size + "}}}";
  };
  EXPECT_THAT(
      lineage_line(run_event("COMPLETE", "",
                             ",\"inputs\":[" + sized("input", "5") + "," + sized("input", "6") +
                                 "],\"outputs\":[" + sized("output", "7") + ",3," +
                                 sized("output", "9223372036854775807") + "]")),
      HasSubstr(R"("read_bytes":11,"written_bytes":9223372036854775807,"rows":4)"));
  EXPECT_THAT(
      lineage_line(run_event("COMPLETE", "", ",\"outputs\":[" + sized("output", "-1") + "]")),
      Not(HasSubstr("written_bytes")));
}

TEST(OpenLineage, IsKnownByWhatItSays) {
  const auto one = run_event("START", kParentFacet);
  const auto alone = take_posted(one),
             again = take_posted("[ " + one + ",\n" + run_event("COMPLETE") + "]");
  ASSERT_THAT(alone.keys, SizeIs(2));
  ASSERT_THAT(again.keys, SizeIs(3));
  EXPECT_EQ(alone.keys[0], again.keys[0]);
  EXPECT_EQ(alone.keys[1], again.keys[1]);
  EXPECT_NE(alone.keys[0], alone.keys[1]);
  EXPECT_NE(again.keys[0], again.keys[2]);
  auto spaced = one;
  spaced.insert(1, " \n\t");
  EXPECT_EQ(take_posted(spaced).keys[0], alone.keys[0]);
}

TEST(OpenLineage, OfAJobOrADatasetIsOfARunOfTheDay) {
  const std::string head = R"({"eventTime":"2026-01-05T23:30:00-02:00",)";
  const auto job =
      lineage_line(head + R"("job":{"namespace":"food","name":"orders"},"inputs":[]})");
  EXPECT_THAT(job, AllOf(HasSubstr(R"("event_type":"openlineage.job")"),
                         HasSubstr(R"("source_run_id":"job food.orders 2026-01-06")"),
                         Not(HasSubstr("trace_id"))));
  const auto dataset = lineage_line(head + R"("dataset":{"namespace":"pg","name":"t"}})");
  EXPECT_THAT(dataset,
              AllOf(HasSubstr(R"("event_type":"openlineage.dataset")"),
                    HasSubstr(R"("pipeline_id":"pg.t")"),
                    HasSubstr(foreign_run_id("openlineage", "dataset pg.t 2026-01-06").text())));
}

TEST(OpenLineage, KeepsTheEnvelopeOfABadFacet) {
  for (const auto* facets :
       {R"("parent":{"run":{"noRunId":"x"},"job":{"namespace":"n","name":"j"}})", R"("parent":7)",
        R"("parent":{"run":[],"job":null},"errorMessage":"m")",
        R"("errorMessage":{"message":{}})"}) {
    const auto taken = take_posted(run_event("FAIL", facets));
    EXPECT_THAT(taken.lines, SizeIs(1)) << facets;
    EXPECT_THAT(taken.lines[0], HasSubstr(facets));
  }
  EXPECT_THAT(
      take_posted(run_event("START", "", R"(,"inputs":7,"outputs":[null,{"outputFacets":1}])"))
          .lines,
      SizeIs(1));
}

TEST(OpenLineage, IsRefusedByName) {
  EXPECT_THAT(lineage_reason("{}"), HasSubstr("eventTime is missing"));
  EXPECT_THAT(lineage_reason(R"({"eventTime":"{{ now }}"})"),
              HasSubstr("eventTime is no RFC 3339"));
  const std::string head = R"({"eventTime":"2026-01-05T03:00:00Z",)";
  const std::string job = R"("job":{"namespace":"n","name":"j"})";
  EXPECT_THAT(lineage_reason(head + R"("run":{"runId":"r"}})"),
              HasSubstr("neither a job nor a dataset"));
  EXPECT_THAT(lineage_reason(head + R"("run":{},)" + job + "}"), HasSubstr("run.runId is missing"));
  EXPECT_THAT(lineage_reason(head + R"("run":{"runId":"r"},"job":{"name":"j"}})"),
              HasSubstr("job.namespace is missing"));
  EXPECT_THAT(lineage_reason(head + R"("dataset":{"namespace":"n"}})"),
              HasSubstr("dataset.name is missing"));
  EXPECT_THAT(lineage_reason(run_event("DONE")), HasSubstr("must be START, RUNNING"));
  EXPECT_THAT(lineage_reason("{\"a\":" + std::string(300, '[') + std::string(300, ']') + "}"),
              HasSubstr("no JSON object"));
  EXPECT_THAT(take_posted("[" + run_event("START") + ",7," + run_event("START")).reasons,
              ElementsAre(HasSubstr("no JSON object"), HasSubstr("the list has no end")));
  EXPECT_TRUE(take_posted(" \n").is_error);
  EXPECT_THAT(take_posted("[]").reasons, IsEmpty());
}

TEST(OpenLineage, WithoutAnOffsetIsReadAsUtcAndSaysSo) {
  EXPECT_THAT(lineage_line(R"({"eventTime":"2026-01-05T03:00:00.25","run":{"runId":"r"},)"
                           R"("job":{"namespace":"n","name":"j"}})"),
              AllOf(HasSubstr(R"("timestamp":"2026-01-05T03:00:00.250000Z")"),
                    HasSubstr(R"("attributes":{"event_time_without_offset":true,"openlineage":)")));
}

class RecordedLineageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  }
  static TakenLineage take_file(const std::string& name) {
    const auto path = std::filesystem::path(std::getenv("WEIR_TEST_DATA")) / "openlineage" / name;
    const auto text = read_file(path, 10'000'000);
    EXPECT_TRUE(text) << text.error().message;
    return take_posted(*text);
  }
};

TEST_F(RecordedLineageTest, OfTheWireIsTaken) {
  const std::map<std::string, std::size_t> files = {
      {"wire_events/proxy_event_invalid_run_facet.json", 1},
      {"wire_events/proxy_event_simple.json", 1},
      {"wire_events/proxy_test-complete.json", 1},
      {"wire_events/proxy_test-start.json", 1},
      {"wire_events/py_example_full_event.json", 2},  // two: it has a parent
      {"wire_events/py_serde_example_job_event.json", 1},
      {"wire_events/py_serde_example_run_event.json", 1},
      {"doc_examples/01_column_level_lineage.json", 1},
      {"doc_examples/05_examples.json", 1},
      {"doc_examples/07_examples.json", 1},
      {"doc_examples/09_examples.json", 2},
      {"doc_examples/11_examples.json", 1},
      {"doc_examples/13_custom-facets.json", 1},
      {"doc_examples/15_getting-started.json", 1},
      {"spec_tests/example_full_event.json", 1}};
  for (const auto& [name, events] : files) {
    const auto taken = take_file(name);
    EXPECT_THAT(taken.reasons, IsEmpty()) << name;
    EXPECT_THAT(taken.lines, SizeIs(events)) << name;
  }
  EXPECT_THAT(take_file("wire_events/proxy_event_no_run_id.json").reasons,
              ElementsAre(HasSubstr("run.runId is missing")));
  EXPECT_THAT(take_file("doc_examples/03_reusable_actions_and_common_scripts.json").reasons,
              ElementsAre(HasSubstr("eventTime is no RFC 3339")));
}

TEST_F(RecordedLineageTest, OfDbtIsTakenLineByLine) {
  const auto folder =
      std::filesystem::path(std::getenv("WEIR_TEST_DATA")) / "openlineage/derived_wire";
  std::size_t events = 0, nodes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto text = read_file(entry.path(), 10'000'000);
    ASSERT_TRUE(text);
    for (std::string_view rest = *text; !rest.empty();) {
      const auto end = std::min(rest.find('\n'), rest.size() - 1);
      const auto taken = take_posted(rest.substr(0, end));
      EXPECT_THAT(taken.reasons, IsEmpty());
      ++events;
      nodes += taken.lines.size() - 1;
      rest.remove_prefix(end + 1);
    }
  }
  EXPECT_EQ(events, 122U);
  EXPECT_GT(nodes, 90U);
}

// Patterns that events are matched with, and schemas: no crash, and what is no event is refused.
TEST_F(RecordedLineageTest, AllFilesAreTakenOrRefused) {
  const auto folder = std::filesystem::path(std::getenv("WEIR_TEST_DATA")) / "openlineage";
  std::size_t refused = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto text = read_file(entry.path(), 10'000'000);
    ASSERT_TRUE(text);
    refused += take_posted(*text).reasons.empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace weir::ingest
