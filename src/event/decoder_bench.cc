#include <benchmark/benchmark.h>

#include "event/decoder.h"

namespace weir::event {
namespace {

// Everything that a reader of the log does with a line: parse, look up every field, check types.
void decode_node_completed(benchmark::State& state) {
  const std::string line =
      R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":"pipeline_node_completed","level":"INFO",)"
      R"("pipeline_type":"dag","pipeline_id":"flights","pipeline_version":"1",)"
      R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":7,"trace_id":"996ac0d084ed2787b426421e34ba9923",)"
      R"("span_id":"39a2e25565495ce9","parent_span_id":"eb32e1df7b2dd5d8","node_id":"by_origin","plugin_id":"sql",)"
      R"("tool_id":"query","step_index":3,"attempt":1,"duration_ms":78.780959,"output_keys":["by_origin"]})";
  Decoder decoder;
  for (auto _ : state) benchmark::DoNotOptimize(decoder.decode(line));
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(decode_node_completed);

}  // namespace
}  // namespace weir::event
