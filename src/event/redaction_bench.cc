#include <benchmark/benchmark.h>

#include "event/redaction.h"

namespace weir::event {
namespace {

std::string repeated(std::string_view text, std::size_t size) {
  std::string result;
  while (result.size() < size) result += text;
  return result;
}

void redact(benchmark::State& state, const std::string& text, TextKind kind) {
  const auto redactor = Redactor::make({});
  RedactionCounts counts;
  std::string out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(text.data());
    benchmark::DoNotOptimize(redactor->redact_text(text, kind, out, counts));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void redact_json(benchmark::State& state, const std::string& json) {
  const auto redactor = Redactor::make({});
  RedactionCounts counts;
  std::string out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(json.data());
    benchmark::DoNotOptimize(redactor->redact_json(json, TextKind::kNodeOutput, out, counts));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}

// The strings of nearly every event.
BENCHMARK_CAPTURE(redact, node_id, "by_origin", TextKind::kField);
BENCHMARK_CAPTURE(redact, message, "node completed", TextKind::kMessage);
BENCHMARK_CAPTURE(redact, run_id, "019b8a2f-7c00-7000-8000-000000000001", TextKind::kField);
BENCHMARK_CAPTURE(redact, trace_id, "996ac0d084ed2787b426421e34ba9923", TextKind::kField);
BENCHMARK_CAPTURE(redact, timestamp, "2026-01-05T03:00:00.000001Z", TextKind::kField);
BENCHMARK_CAPTURE(redact, path, "/srv/etl/src/event/redaction.cc", TextKind::kMessage);
BENCHMARK_CAPTURE(
    redact, log_line,
    "2026-01-05 03:00:00,123 INFO loader read rows=1200 file=part-0001.csv in 12.5 ms",
    TextKind::kMessage);

// Long clean texts: prose, and log lines full of what looks like something.
BENCHMARK_CAPTURE(redact, prose_1MiB,
                  repeated("The scheduler picks the next ready node, and nobody waits for it. ",
                           std::size_t{1} << 20),
                  TextKind::kMessage);
BENCHMARK_CAPTURE(redact, log_1MiB,
                  repeated("2026-01-05 03:00:00,123 INFO loader rows=1200 file=part-0001.csv\n",
                           std::size_t{1} << 20),
                  TextKind::kMessage);

// What has to be masked.
BENCHMARK_CAPTURE(redact, one_email, "mail from ann@example.com arrived", TextKind::kMessage);

BENCHMARK_CAPTURE(redact_json, attributes,
                  R"({"rows":1200,"file":"part-0001.csv","columns":["origin","delay","flights"],)"
                  R"("http.request.method":"GET","http.route":"/api/v1/runs/{id}","retry":false,)"
                  R"("http.response.status_code":200,"user_agent.original":"curl/8.5.0"})");

}  // namespace
}  // namespace weir::event
