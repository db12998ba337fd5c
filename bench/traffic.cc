#include "bench/traffic.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

namespace weir::bench {

using event::Field;
using event::Type;

std::uint64_t Traffic::run(record::Recorder& recorder) {
  const auto pipeline = std::min(39, static_cast<int>(std::exp(pipelines_(chance_))));
  const auto nodes = std::clamp(static_cast<int>(std::exp(sizes_(chance_))), 1, 50'000);
  const auto id = RunId::make(recorder.clock().now());
  runs_.push_back(id);
  const auto run = *recorder.begin({.run_id = id,
                                    .pipeline_type = "dag",
                                    .pipeline_id = "pipeline_" + std::to_string(pipeline),
                                    .pipeline_version = "1.4.2",
                                    .trace_id = TraceId::make()});
  const std::vector<std::string> entry = {"n0"};
  run->emit(Type::kPipelineStarted, {{Field::kEntryNodes, std::span(entry)},
                                     {Field::kOutputNodes, std::span(entry)},
                                     {Field::kNodeCount, std::int64_t{nodes}}});
  std::uint64_t events = 2;
  std::string failed;
  double total = 0;
  for (int i = 0; i < nodes && failed.empty(); ++i) {
    const auto duration = std::exp(durations_(chance_));
    total += duration;
    const auto name = "n" + std::to_string(i);
    const bool fails = chance_() % 1000 == 0;
    node(*run, name, i, duration, fails);
    if (fails) failed = name;
    events += 2;
  }
  if (failed.empty()) {
    run->emit(Type::kPipelineCompleted, {{Field::kDurationMs, total},
                                         {Field::kNodeCount, std::int64_t{nodes}},
                                         {Field::kOutputNodeIds, std::span(entry)}});
  } else {
    run->emit(Type::kPipelineFailed, {{Field::kDurationMs, total},
                                      {Field::kErrorType, std::string_view("NodeFailed")},
                                      {Field::kErrorMessage, std::string_view("a node failed")},
                                      {Field::kFailedNodeId, std::string_view(failed)}});
  }
  return events;
}

void Traffic::node(record::Run& run, std::string_view name, std::int64_t step, double duration,
                   bool fails) {
  static constexpr std::string_view kTools[] = {"query", "run", "get", "merge", "resize"};
  const auto span = SpanId::make().text(), parent = SpanId::make().text();
  const std::string_view span_text(span.data(), span.size()),
      parent_text(parent.data(), parent.size());
  const auto tool = kTools[static_cast<std::size_t>(step) % std::size(kTools)];
  std::vector<std::string> before;
  if (step > 0) before.push_back("n" + std::to_string(step / 2));
  const std::vector<std::string> keys = {"rows", "path"};
  run.emit(Type::kNodeStarted, {{Field::kSpanId, span_text},
                                {Field::kParentSpanId, parent_text},
                                {Field::kNodeId, name},
                                {Field::kPluginId, std::string_view("sql")},
                                {Field::kToolId, tool},
                                {Field::kStepIndex, step},
                                {Field::kPredecessorNodeIds, std::span(before)},
                                {Field::kAttempt, std::int64_t{1}}});
  if (fails) {
    run.emit(Type::kNodeFailed, {{Field::kSpanId, span_text},
                                 {Field::kParentSpanId, parent_text},
                                 {Field::kNodeId, name},
                                 {Field::kPluginId, std::string_view("sql")},
                                 {Field::kToolId, tool},
                                 {Field::kStepIndex, step},
                                 {Field::kAttempt, std::int64_t{1}},
                                 {Field::kDurationMs, duration},
                                 {Field::kErrorType, std::string_view("TimeoutError")},
                                 {Field::kErrorMessage, std::string_view("no answer in 30 s")}});
    return;
  }
  const auto output =
      R"({"rows":)" + std::to_string(chance_() % 100'000) + R"(,"path":"out.parquet"})";
  run.emit(Type::kNodeCompleted, {{Field::kSpanId, span_text},
                                  {Field::kParentSpanId, parent_text},
                                  {Field::kNodeId, name},
                                  {Field::kPluginId, std::string_view("sql")},
                                  {Field::kToolId, tool},
                                  {Field::kStepIndex, step},
                                  {Field::kAttempt, std::int64_t{1}},
                                  {Field::kDurationMs, duration},
                                  {Field::kOutputKeys, std::span(keys)},
                                  {Field::kOutput, event::ObjectText{output}},
                                  {Field::kCpuMs, duration * 0.7},
                                  {Field::kMemoryBytes, std::int64_t{1} << 26}});
}

}  // namespace weir::bench
