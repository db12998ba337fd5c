// Real requests and recordings: $WEIR_TEST_DATA/otlp and openinference, which say where they are
// from. Each must become as many events as its index says, in JSON and in protobuf alike.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "base/file.h"
#include "ingest/otlp_testing.h"

namespace weir::ingest::otlp {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using testing_support::at;
using testing_support::kLogs;
using testing_support::kMetrics;
using testing_support::kTraces;
using testing_support::line_of;
using testing_support::Signal;
using testing_support::span_with;
using testing_support::take;
using testing_support::take_both;

std::string recording(std::string_view name) {
  const auto text =
      read_file(std::filesystem::path(std::getenv("WEIR_TEST_DATA")) / name, 10'000'000);
  if (!text) ADD_FAILURE() << text.error().message;
  return text.value_or("");
}

struct Counts {
  std::size_t events = 0;
  std::size_t rejected = 0;
  std::size_t malformed = 0;
  bool operator==(const Counts&) const = default;
};

struct Recording {
  std::string_view name;
  Signal signal;
  Counts expected;
};

// Those of which one file is one request.
constexpr Recording kDocuments[] = {
    {"otlp/jaeger_apiv3/FindTraces.json", kTraces, {1}},
    {"otlp/jaeger_apiv3/GetTrace.json", kTraces, {1}},
    {"otlp/jaeger_integration/default.json", kTraces, {1}},
    {"otlp/jaeger_integration/example_trace.json", kTraces, {5}},
    {"otlp/jaeger_integration/link_attributes_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/log_tags_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/max_dur_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/multi_index_trace.json", kTraces, {2}},
    {"otlp/jaeger_integration/multispottag_opname_dur_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/opname_dur_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/opname_maxdur_trace.json", kTraces, {2}},
    {"otlp/jaeger_integration/opname_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/scope_attributes_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/span_tags_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/tags_dur_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/tags_escaped_operator_trace_1.json", kTraces, {1}},
    {"otlp/jaeger_integration/tags_escaped_operator_trace_2.json", kTraces, {1}},
    {"otlp/jaeger_integration/tags_opname_dur_trace.json", kTraces, {1}},
    {"otlp/jaeger_integration/tags_opname_maxdur_trace.json", kTraces, {1}},
    {"otlp/jaeger_v2/cassandra_otel_traces_01.json", kTraces, {1}},
    {"otlp/otel_proto_examples/logs.json", kLogs, {1}},
    {"otlp/otel_proto_examples/metrics.json", kMetrics, {4}},
    {"otlp/otel_proto_examples/trace.json", kTraces, {1}},
    {"jaeger/otlp2jaeger_pair/otlp2jaeger-in.json", kTraces, {2}},
    {"jaeger/ui_otlp_fixtures/otlp2jaeger-in.json", kTraces, {2}},
};

// Those of which each line is one.
constexpr Recording kLines[] = {
    {"otlp/duckdb_otlp/empty.jsonl", kTraces, {}},
    {"otlp/duckdb_otlp/whitespace.jsonl", kTraces, {}},
    {"otlp/duckdb_otlp/logs_nulls.jsonl", kLogs, {3}},
    {"otlp/duckdb_otlp/logs_simple.jsonl", kLogs, {3}},
    {"otlp/duckdb_otlp/malformed.jsonl", kTraces, {0, 1, 2}},
    {"otlp/duckdb_otlp/metrics_all_types.jsonl", kMetrics, {5}},
    {"otlp/duckdb_otlp/metrics_histogram_ndjson.jsonl", kMetrics, {1}},
    {"otlp/duckdb_otlp/metrics_optional_fields.jsonl", kMetrics, {3}},
    {"otlp/duckdb_otlp/metrics_simple.jsonl", kMetrics, {3}},
    {"otlp/duckdb_otlp/multifile_valid_traces.jsonl", kTraces, {1}},
    {"otlp/duckdb_otlp/single_trace.jsonl", kTraces, {1}},
    {"otlp/duckdb_otlp/traces_large_attrs.jsonl", kTraces, {1}},
    {"otlp/duckdb_otlp/traces_simple.jsonl", kTraces, {3}},
    {"otlp/duckdb_otlp/ts_boundary_logs.jsonl", kLogs, {1}},
};

Counts counts_of(Signal signal, std::string_view body) {
  if (!take(signal, Encoding::kJson, body).error.empty()) return {.malformed = 1};
  const auto taken = take_both(signal, body);
  return {.events = taken.lines.size(), .rejected = taken.rejections.count};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

TEST(OtlpRecordings, BecomeAsManyEventsAsTheyHaveRecords) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  std::size_t events = 0;
  for (const auto& [name, signal, expected] : kDocuments) {
    SCOPED_TRACE(name);
    const auto counts = counts_of(signal, recording(name));
    EXPECT_EQ(counts.events, expected.events);
    EXPECT_EQ(counts.rejected, 0U);
    events += counts.events;
  }
  std::cout << std::size(kDocuments) << " documents, " << events << " events\n";
}

TEST(OtlpRecordings, BecomeAsManyEventsAsTheirLinesHaveRecords) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  for (const auto& [name, signal, expected] : kLines) {
    SCOPED_TRACE(name);
    const auto text = recording(name);
    Counts counts;
    for (std::string_view rest = text; !rest.empty();) {
      const auto line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (is_blank(line)) continue;
      const auto [more, rejected, malformed] = counts_of(signal, line);
      counts.events += more;
      counts.rejected += rejected;
      counts.malformed += malformed;
    }
    EXPECT_EQ(counts.events, expected.events);
    EXPECT_EQ(counts.rejected, expected.rejected);
    EXPECT_EQ(counts.malformed, expected.malformed);
  }
}

TEST(OtlpRecordings, AreReadFromProtobuf) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  const auto traces =
      take(kTraces, Encoding::kProtobuf, recording("otlp/duckdb_otlp/otlp_traces.pb"));
  ASSERT_THAT(traces.lines, SizeIs(1));
  EXPECT_EQ(at(traces.lines[0], {"trace_id"}), R"("a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6")");
  EXPECT_EQ(at(traces.lines[0], {"duration_ms"}), "100.0");
  EXPECT_EQ(at(traces.lines[0], {"attributes", "http_method"}), R"("GET")");
  const auto logs = take(kLogs, Encoding::kProtobuf, recording("otlp/duckdb_otlp/otlp_logs.pb"));
  ASSERT_THAT(logs.lines, SizeIs(1));
  EXPECT_EQ(at(logs.lines[0], {"message"}), R"("Test log message")");
  EXPECT_EQ(at(logs.lines[0], {"pipeline_id"}), R"("logs-service")");
}

/// The attributes of an object of texts, numbers and lists of texts, as OTLP has them.
std::string as_attributes(const json::Object& map) {
  std::string list;
  for (const auto& [key, value, position] : map) {
    std::string any = R"({"stringValue":)" + json::to_text(value) + "}";
    if (value.integer() != nullptr) any = R"({"intValue":")" + json::to_text(value) + R"("})";
    if (std::holds_alternative<double>(value.variant())) {
      any = R"({"doubleValue":)" + json::to_text(value) + "}";
    }
    if (value.array() != nullptr) {
      any = R"({"arrayValue":{"values":[{"stringValue":)" + json::to_text(*value.array()->begin()) +
            "}]}}";
    }
    list.append(list.empty() ? "" : ",").append(R"({"key":)").append(json::to_text(key));
    list.append(R"(,"value":)").append(any).append("}");
  }
  return R"("attributes":[)" + list + "]";
}

/// What a call of a model says in columns.
std::vector<std::string> model_row(std::string_view line) {
  std::vector<std::string> row;
  for (const auto* const field :
       {"provider", "operation", "model_id", "input_tokens", "output_tokens", "cost_usd"}) {
    row.push_back(at(line, {field}));
  }
  return row;
}

TEST(OtlpRecordings, SayTheSameOfAModelInEveryDialect) {
  if (std::getenv("WEIR_TEST_DATA") == nullptr) GTEST_SKIP() << "WEIR_TEST_DATA is not set";
  for (const auto* const name :
       {"otel_genai_client_span_tool_calls.json", "openinference_client_span_tool_calls.json"}) {
    SCOPED_TRACE(name);
    const auto map = json::parse(recording(std::string("openinference/") + name));
    ASSERT_TRUE(map && map->object());
    const auto line = line_of(kTraces, span_with(as_attributes(*map->object())));
    EXPECT_THAT(model_row(line),
                ElementsAre(R"("openai")", R"("chat")", R"("gpt-4-0613")", "97", "52", ""));
  }
}

TEST(OtlpDialects, SayTheSameOfAModel) {
  const auto text = [](std::string_view key, std::string_view value) {
    return R"({"key":")" + std::string(key) + R"(","value":{"stringValue":")" + std::string(value) +
           R"("}})";
  };
  const auto number = [](std::string_view key, std::string_view value) {
    return R"({"key":")" + std::string(key) + R"(","value":{"intValue":)" + std::string(value) +
           "}}";
  };
  const auto cost = [](std::string_view key) {
    return R"({"key":")" + std::string(key) + R"(","value":{"doubleValue":0.25}})";
  };
  const std::vector<std::string> dialects = {
      text("gen_ai.provider.name", "openai") + "," + text("gen_ai.operation.name", "chat") + "," +
          text("gen_ai.request.model", "gpt") + "," + text("gen_ai.response.model", "gpt-4") + "," +
          number("gen_ai.usage.input_tokens", "97") + "," +
          number("gen_ai.usage.output_tokens", "52") + "," + cost("gen_ai.usage.cost"),
      text("gen_ai.system", "openai") + "," + text("gen_ai.operation.name", "chat") + "," +
          text("gen_ai.response.model", "gpt-4") + "," +
          number("gen_ai.usage.prompt_tokens", "97") + "," +
          number("gen_ai.usage.completion_tokens", "52") + "," + cost("gen_ai.usage.cost"),
      text("llm.provider", "openai") + "," + text("openinference.span.kind", "LLM") + "," +
          text("llm.model_name", "gpt-4") + "," + number("llm.token_count.prompt", "97") + "," +
          number("llm.token_count.completion", "52") + "," + cost("llm.cost.total"),
      text("llm.vendor", "openai") + "," + text("llm.request.type", "chat") + "," +
          text("llm.request.model", "gpt") + "," + text("llm.response.model", "gpt-4") + "," +
          number("llm.usage.prompt_tokens", "97") + "," +
          number("llm.usage.completion_tokens", "52") + "," + cost("llm.cost.total"),
  };
  for (const auto& dialect : dialects) {
    SCOPED_TRACE(dialect);
    const auto line = line_of(kTraces, span_with(R"("attributes":[)" + dialect + "]"));
    EXPECT_THAT(model_row(line),
                ElementsAre(R"("openai")", R"("chat")", R"("gpt-4")", "97", "52", "0.25"));
  }
}

TEST(OtlpDialects, SayWhoseSessionItIs) {
  const auto row = [](std::string_view session, std::string_view user, std::string_view agent,
                      std::string_view call) {
    std::string list;
    for (const auto key : {session, user, agent, call}) {
      list.append(list.empty() ? "" : ",").append(R"({"key":")").append(key);
      list.append(R"(","value":{"stringValue":"x"}})");
    }
    const auto line = line_of(kTraces, span_with(R"("attributes":[)" + list + "]"));
    return at(line, {"session_id"}) + at(line, {"user_id"}) + at(line, {"agent_id"}) +
           at(line, {"call_id"});
  };
  const auto* const all = R"("x""x""x""x")";
  EXPECT_EQ(row("session.id", "user.id", "gen_ai.agent.id", "gen_ai.response.id"), all);
  EXPECT_EQ(row("gen_ai.conversation.id", "enduser.id", "agent.name", "gen_ai.tool.call.id"), all);
}

}  // namespace
}  // namespace weir::ingest::otlp
