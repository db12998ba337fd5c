#include "bench/traffic.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "base/hash.h"

namespace weir::bench {

using event::Field;
using event::FieldList;
using event::Type;

namespace {

/// Of a thousand nodes.
constexpr std::uint64_t kFail = 1, kTriedAgain = 10, kAgents = 10, kKeep = 20, kCall = 30,
                        kAskCache = 50;
/// Of a thousand that ask the cache.
constexpr std::uint64_t kKnown = 600;

}  // namespace

/// An attempt of one; what its events have in common.
struct Traffic::Node {
  record::Run& run;
  std::string_view name;
  std::int64_t step = 0;
  double duration = 0;
  std::int64_t attempt = 1;
  decltype(SpanId::make().text()) span = SpanId::make().text();
  decltype(SpanId::make().text()) parent = SpanId::make().text();

  /// Views into it.
  [[nodiscard]] FieldList fields() const {
    static constexpr std::string_view kTools[] = {"query", "run", "get", "merge", "resize"};
    return {{Field::kSpanId, std::string_view(span.data(), span.size())},
            {Field::kParentSpanId, std::string_view(parent.data(), parent.size())},
            {Field::kNodeId, name},
            {Field::kPluginId, std::string_view("sql")},
            {Field::kToolId, kTools[static_cast<std::size_t>(step) % std::size(kTools)]},
            {Field::kStepIndex, step},
            {Field::kAttempt, attempt}};
  }
};

void Traffic::emit(record::Run& run, Type type, const FieldList& fields) {
  run.emit(type, fields);
  ++events_;
}

std::string_view Traffic::tenant() {
  const auto dice = chance_() % 100;
  if (dice < 60) return "";
  if (dice < 85) return "acme";
  if (dice < 95) return "globex";
  return dice < 99 ? "initech" : "umbrella";
}

std::uint64_t Traffic::run(record::Recorder& recorder) {
  const auto before = events_;
  const auto pipeline = std::min(39, static_cast<int>(std::exp(pipelines_(chance_))));
  const auto nodes = std::clamp(static_cast<int>(std::exp(sizes_(chance_))), 1, 50'000);
  const auto id = RunId::make(recorder.clock().now());
  runs_.push_back(id);
  const auto run = *recorder.begin({.run_id = id,
                                    .pipeline_type = "dag",
                                    .pipeline_id = "pipeline_" + std::to_string(pipeline),
                                    .pipeline_version = "1.4.2",
                                    .trace_id = TraceId::make(),
                                    .correlation = {.tenant_id = std::string(tenant())}});
  const std::vector<std::string> entry = {"n0"};
  emit(*run, Type::kPipelineStarted,
       {{Field::kEntryNodes, std::span(entry)},
        {Field::kOutputNodes, std::span(entry)},
        {Field::kNodeCount, std::int64_t{nodes}}});
  std::string failed;
  double total = 0;
  for (int i = 0; i < nodes && failed.empty(); ++i) {
    const auto duration = std::exp(durations_(chance_));
    total += duration;
    const auto name = "n" + std::to_string(i);
    if (!node(*run, name, i, duration)) failed = name;
  }
  if (failed.empty()) {
    emit(*run, Type::kPipelineCompleted,
         {{Field::kDurationMs, total},
          {Field::kNodeCount, std::int64_t{nodes}},
          {Field::kOutputNodeIds, std::span(entry)}});
  } else {
    emit(*run, Type::kPipelineFailed,
         {{Field::kDurationMs, total},
          {Field::kErrorType, std::string_view("NodeFailed")},
          {Field::kErrorMessage, std::string_view("a node failed")},
          {Field::kFailedNodeId, std::string_view(failed)}});
  }
  return events_ - before;
}

bool Traffic::node(record::Run& run, std::string_view name, std::int64_t step, double duration) {
  Node node{.run = run, .name = name, .step = step, .duration = duration};
  start(node);
  if (happens(kFail)) {
    fail(node);
    return false;
  }
  if (happens(kTriedAgain)) {
    fail(node);
    ++node.attempt;
    auto retry = node.fields();
    retry.push_back({Field::kReason, std::string_view("timeout")});
    emit(run, Type::kNodeRetryScheduled, retry);
    start(node);
  }
  if (happens(kAskCache)) {
    const bool is_known = ask_cache(node);
    if (is_known) node.duration = 0.1;
    FieldList how = {{Field::kCacheHit, is_known}};
    if (is_known) how.push_back({Field::kOutcome, std::string_view("cached")});
    complete(node, how);
    return true;
  }
  if (happens(kCall)) call_provider(node);
  if (happens(kAgents)) run_agent(node);
  if (happens(kKeep)) keep_artifact(node);
  complete(node, {});
  return true;
}

void Traffic::start(const Node& node) {
  std::vector<std::string> before;
  if (node.step > 0) before.push_back("n" + std::to_string(node.step / 2));
  auto fields = node.fields();
  fields.push_back({Field::kPredecessorNodeIds, std::span(before)});
  emit(node.run, Type::kNodeStarted, fields);
}

void Traffic::fail(const Node& node) {
  auto fields = node.fields();
  fields.push_back({Field::kDurationMs, node.duration});
  fields.push_back({Field::kErrorType, std::string_view("TimeoutError")});
  fields.push_back({Field::kErrorMessage, std::string_view("no answer in 30 s")});
  emit(node.run, Type::kNodeFailed, fields);
}

void Traffic::complete(const Node& node, FieldList more) {
  const std::vector<std::string> keys = {"rows", "path"};
  const auto output =
      R"({"rows":)" + std::to_string(chance_() % 100'000) + R"(,"path":"out.parquet"})";
  auto fields = node.fields();
  fields.push_back({Field::kDurationMs, node.duration});
  fields.push_back({Field::kOutputKeys, std::span(keys)});
  fields.push_back({Field::kOutput, event::ObjectText{output}});
  fields.push_back({Field::kCpuMs, node.duration * 0.7});
  fields.push_back({Field::kMemoryBytes, std::int64_t{1} << 26});
  for (const auto& field : std::span<const event::FieldValue>(more)) fields.push_back(field);
  emit(node.run, Type::kNodeCompleted, fields);
}

bool Traffic::ask_cache(const Node& node) {
  static constexpr std::string_view kReasons[] = {"new", "input", "expired"};
  const bool is_known = happens(kKnown);
  auto fields = node.fields();
  if (!is_known) fields.push_back({Field::kReason, kReasons[chance_() % std::size(kReasons)]});
  emit(node.run, is_known ? Type::kCacheHit : Type::kCacheMiss, fields);
  return is_known;
}

void Traffic::call_provider(const Node& node) {
  static constexpr std::string_view kModels[] = {"small", "medium", "large"};
  const auto call = "call-" + std::to_string(chance_());
  auto fields = node.fields();
  fields.push_back({Field::kCallId, std::string_view(call)});
  fields.push_back({Field::kProvider, std::string_view("example")});
  fields.push_back({Field::kOperation, std::string_view("chat")});
  fields.push_back({Field::kModelId, kModels[chance_() % std::size(kModels)]});
  emit(node.run, Type::kProviderCallStarted, fields);
  fields.push_back({Field::kDurationMs, node.duration * 0.8});
  if (happens(kTriedAgain)) {
    fields.push_back({Field::kErrorType, std::string_view("RateLimited")});
    fields.push_back({Field::kErrorMessage, std::string_view("too many requests")});
    emit(node.run, Type::kProviderCallFailed, fields);
    return;
  }
  const auto tokens = static_cast<std::int64_t>(chance_() % 8000);
  fields.push_back({Field::kInputTokens, tokens});
  fields.push_back({Field::kOutputTokens, tokens / 8});
  fields.push_back({Field::kCostUsd, static_cast<double>(tokens) * 3e-6});
  emit(node.run, Type::kProviderCallCompleted, fields);
}

void Traffic::run_agent(const Node& node) {
  static constexpr std::string_view kAgentIds[] = {"writer", "planner", "reviewer"};
  auto fields = node.fields();
  const auto tokens = static_cast<std::int64_t>(chance_() % 20'000);
  fields.push_back({Field::kAgentId, kAgentIds[chance_() % std::size(kAgentIds)]});
  fields.push_back({Field::kAgentVersion, std::string_view("2")});
  fields.push_back({Field::kModelId, std::string_view("large")});
  fields.push_back(
      {Field::kOutcome, std::string_view(happens(kTriedAgain) ? "failure" : "success")});
  fields.push_back({Field::kDurationMs, node.duration});
  fields.push_back({Field::kInputTokens, tokens});
  fields.push_back({Field::kOutputTokens, tokens / 5});
  emit(node.run, Type::kAgentRun, fields);
}

void Traffic::keep_artifact(const Node& node) {
  const auto path = "reports/" + std::string(node.name) + ".txt";
  const auto hash = sha256(std::to_string(chance_() % 10'000)).text();
  auto fields = node.fields();
  fields.push_back({Field::kArtifactPath, std::string_view(path)});
  fields.push_back({Field::kArtifactSha256, std::string_view(hash)});
  fields.push_back({Field::kWrittenBytes, static_cast<std::int64_t>(chance_() % 1'000'000)});
  emit(node.run, Type::kArtifactWritten, fields);
}

}  // namespace weir::bench
