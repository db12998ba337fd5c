#include <benchmark/benchmark.h>

#include <string>

#include "ingest/native.h"

namespace weir::ingest {
namespace {

/// Events as a producer of another language sends them: 17 members, 450 bytes, most of one run.
std::string lines_of(int count) {
  std::string body;
  for (int i = 0; i < count; ++i) {
    const auto number = std::to_string(100'000 + i);
    body += R"({"timestamp":"2026-01-05T03:00:00.)" + number +
            R"(Z","event_type":"pipeline_node_completed","level":"INFO",)"
            R"("pipeline_id":"flights","pipeline_version":"1",)"
            R"("run_id":"019b8a2f-7c00-7000-8000-0000000000)" +
            std::to_string(10 + i / 100 % 90) + R"(","run_seq":)" + number +
            R"(,"trace_id":"996ac0d084ed2787b426421e34ba9923","span_id":"39a2e25565)" + number +
            R"(","parent_span_id":"eb32e1df7b2dd5d8","node_id":"by_origin","plugin_id":"sql",)"
            R"("tool_id":"query","attempt":1,"duration_ms":78.780959,"event_id":"7f3a-)" +
            number + R"(","output_keys":["by_origin"]})" + "\n";
  }
  return body;
}

void take_lines(benchmark::State& state, const std::string& body, int events) {
  const auto redactor = *event::Redactor::make({});
  for (auto _ : state) {
    LineMaker lines(redactor, "acme", "request");
    const auto rejections = take_events(body, lines);
    if (!rejections || rejections->count > 0) return state.SkipWithError("rejected");
    benchmark::DoNotOptimize(lines.take());
  }
  state.SetItemsProcessed(state.iterations() * events);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

constexpr int kEvents = 2000;

void take_native_lines(benchmark::State& state) { take_lines(state, lines_of(kEvents), kEvents); }
BENCHMARK(take_native_lines);

void take_native_list(benchmark::State& state) {
  auto body = lines_of(kEvents);
  body.back() = ']';
  for (auto& c : body) c = c == '\n' ? ',' : c;
  take_lines(state, "[" + body, kEvents);
}
BENCHMARK(take_native_list);

// A request with one event: what a request costs.
void take_native_single(benchmark::State& state) { take_lines(state, lines_of(1), 1); }
BENCHMARK(take_native_single);

}  // namespace
}  // namespace weir::ingest
