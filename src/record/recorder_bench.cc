#include <benchmark/benchmark.h>

#include <filesystem>

#include "record/encoding.h"
#include "record/field_redaction.h"
#include "record/line.h"
#include "record/recorder.h"

namespace weir::record {
namespace {

using event::Field;

// A fixed number of events, so that what callgrind counts can be divided by it.
constexpr int kEvents = 20'000;

constexpr std::string_view kSpan = "39a2e25565495ce9";
constexpr std::string_view kTrace = "996ac0d084ed2787b426421e34ba9923";

// The six-field event of the budgets.
void emit_six_fields(benchmark::State& state) {
  const auto folder =
      std::filesystem::current_path() / ("recorder-bench-" + std::to_string(random_bits()));
  {
    Recorder recorder(*log::StoreDirectory::create(folder));
    const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                      .pipeline_type = "dag",
                                      .pipeline_id = "flights",
                                      .pipeline_version = "1",
                                      .trace_id = TraceId::make()});
    std::int64_t step = 0;
    for (auto _ : state) {
      run->emit(event::Type::kLog,
                {{Field::kSpanId, kSpan},
                 {Field::kNodeId, std::string_view("by_origin")},
                 {Field::kPluginId, std::string_view("sql")},
                 {Field::kToolId, std::string_view("query")},
                 {Field::kStepIndex, ++step},
                 {Field::kMessage, std::string_view("grouped 3000000 rows by origin")}});
    }
    if (!run->flush()) state.SkipWithError("the log cannot be written");
  }
  state.SetItemsProcessed(state.iterations());
  std::filesystem::remove_all(folder);
}
BENCHMARK(emit_six_fields)->Iterations(kEvents);

// What the writer's thread makes of it.
void write_six_fields(benchmark::State& state) {
  const event::FieldValue fields[] = {
      {Field::kSpanId, kSpan},
      {Field::kNodeId, std::string_view("by_origin")},
      {Field::kPluginId, std::string_view("sql")},
      {Field::kToolId, std::string_view("query")},
      {Field::kStepIndex, std::int64_t{1200}},
      {Field::kMessage, std::string_view("grouped 3000000 rows by origin")}};
  const auto encoded = encode(fields);
  const std::vector<RenderedField> constants = {render({Field::kTraceId, kTrace})};
  const auto policy = event::Redactor::make({});
  FieldRedactor redactor(*policy);
  LineRenderer renderer;
  Line line{.timestamp = system_clock().now(),
            .type = event::Type::kLog,
            .level = event::Level::kInfo,
            .run = R"(,"pipeline_type":"dag","pipeline_id":"flights","pipeline_version":"1",)"
                   R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":)",
            .seq = 1'000'000,
            .fields = encoded,
            .constants = constants};
  std::string text;
  for (auto _ : state) {
    text.clear();
    benchmark::DoNotOptimize(redactor.redact(line.type, line.fields));
    renderer.append(text, line);
    benchmark::DoNotOptimize(text.data());
    ++line.seq;
    line.timestamp += std::chrono::microseconds(1);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(write_six_fields)->Iterations(kEvents);

}  // namespace
}  // namespace weir::record
