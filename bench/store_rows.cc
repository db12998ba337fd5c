#include "bench/store_rows.h"

#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <future>
#include <random>
#include <string>

#include "bench/rows.h"
#include "log/manifest.h"
#include "record/recorder.h"
#include "store/compaction.h"
#include "store/event_table.h"
#include "store/histogram_functions.h"
#include "store/part_reader.h"
#include "store/query.h"

namespace weir::bench {
namespace {

using event::Field;
using event::Type;

/// Ten million, or what WEIR_BENCH_EVENTS says.
std::uint64_t wanted_events() {
  const char* text = std::getenv("WEIR_BENCH_EVENTS");
  return text == nullptr ? 10'000'000 : std::strtoull(text, nullptr, 10);
}

/// Runs as they come: a few pipelines have most of them, most runs are small and a few are large,
/// durations spread over orders of magnitude, some nodes fail.
class Traffic {
 public:
  explicit Traffic(record::Recorder& recorder) : recorder_(recorder) {}

  /// Emits the events of one run, and returns how many.
  std::uint64_t run() {
    const auto pipeline = std::min(39, static_cast<int>(std::exp(pipelines_(chance_))));
    const auto nodes = std::clamp(static_cast<int>(std::exp(sizes_(chance_))), 1, 50'000);
    const auto id = RunId::make(system_clock().now());
    runs.push_back(id);
    const auto run = *recorder_.begin({.run_id = id,
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

  std::vector<RunId> runs;

 private:
  void node(record::Run& run, std::string_view name, std::int64_t step, double duration,
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

  record::Recorder& recorder_;
  std::mt19937_64 chance_{7};
  std::normal_distribution<double> pipelines_{1.0, 1.2}, sizes_{3.0, 1.6}, durations_{3.5, 1.8};
};

double milliseconds_of(store::Connection& connection, const std::string& sql) {
  const auto start = SteadyClock::now();
  auto rows = connection.query(sql);
  if (!rows) {
    std::printf("      %s\n", rows.error().message.c_str());
    return 1e9;
  }
  while (rows->next() != nullptr) {
  }
  return seconds_since(start) * 1e3;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void measure_compaction(const log::StoreDirectory& store) {
  const auto start = SteadyClock::now();
  const auto done = store::compact(store, {.keep = {}});
  const auto seconds = seconds_since(start);
  if (!done) {
    std::printf("      %s\n", done.error().message.c_str());
    return;
  }
  const auto events = static_cast<double>(done->events);
  print_row("compaction to sorted Parquet", events / seconds / 1e6, "M events/s", 0.4, true);
  print_row("  bytes an event in parts", static_cast<double>(done->part_bytes) / events, "bytes",
            32, false);
  print_note("  bytes an event in segments", static_cast<double>(done->segment_bytes) / events, "");
  print_note("  events", events / 1e6, "M");
  print_note("  parts", static_cast<double>(done->parts), "");
  print_note("  memory, at most", peak_mebibytes(), "MiB");
}

/// The recipes over the events as Weir gives them, and over the same Parquet files alone.
void measure_cookbook(const log::StoreDirectory& store, store::Connection& ours) {
  std::vector<std::filesystem::path> parts;
  const auto manifest = log::read_manifest(store);
  for (const auto& part : manifest->parts()) parts.push_back(store.parts() / part.file);
  auto database = store::Database::open_in_memory();
  auto plain = *database->connect();
  if (!plain.execute(
          "SET GLOBAL parquet_metadata_cache = true; CREATE MACRO weir_events() AS TABLE "
          "SELECT * FROM " +
          store::parts_sql(parts) +
          "; CREATE MACRO weir_unrolled() AS TABLE FROM weir_events(); CREATE MACRO "
          "weir_rolled_minutes() AS TABLE SELECT NULL::TIMESTAMP AS time WHERE false; CREATE MACRO "
          "weir_rolled_hours() AS TABLE SELECT NULL::TIMESTAMP AS time WHERE false") ||
      !store::add_histogram_functions(plain) || !store::create_views(plain)) {
    return;
  }
  for (const auto& recipe : store::cookbook()) {
    const auto sql = std::string(recipe.sql);
    const auto once = [&](store::Connection& connection) {
      return median_of(3, [&] { return milliseconds_of(connection, sql); }) / 1e3;
    };
    print_row(("cookbook: " + std::string(recipe.name)).c_str(), once(ours), "s", 1, false);
    print_note("  DuckDB over the same files", once(plain), "s");
  }
}

/// Records so many events, and returns the runs they are of.
std::vector<RunId> fill(const log::StoreDirectory& store, std::uint64_t count) {
  record::Recorder recorder(store);
  Traffic traffic(recorder);
  for (std::uint64_t events = 0; events < count;) events += traffic.run();
  return std::move(traffic.runs);
}

/// How long an event takes to its commit, one after the other while `goes_on`, in milliseconds.
std::vector<double> commit_latencies(record::Run& run, const std::function<bool()>& goes_on) {
  std::vector<double> latencies;
  while (goes_on()) {
    const auto start = SteadyClock::now();
    run.emit(Type::kLog, {{Field::kMessage, std::string_view("grouped 3000000 rows by origin")}});
    if (!run.flush()) break;
    latencies.push_back(seconds_since(start) * 1e3);
  }
  return latencies;
}

/// A recorder beside a compaction and queries, against one alone.
void measure_recording_beside_compaction() {
  constexpr int kAlone = 1000;
  const ScratchStore scratch;
  fill(scratch.store, wanted_events() / 10);
  record::Recorder recorder(scratch.store);
  const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                    .pipeline_type = "dag",
                                    .pipeline_id = "live",
                                    .pipeline_version = "1",
                                    .trace_id = TraceId::make()});
  int left = kAlone;
  const auto alone = percentile(commit_latencies(*run, [&] { return left-- > 0; }), 0.99);
  auto compacting = std::async(std::launch::async, [&] {
    const auto done = store::compact(scratch.store, {.keep = {}});
    return done.has_value();
  });
  auto querying = std::async(std::launch::async, [&] {
    while (compacting.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) {
      const auto database = store::open_views(scratch.store, std::make_shared<store::BadPlaces>());
      auto connection = *database->connect();
      milliseconds_of(connection, "SELECT event_type, count(*) FROM events GROUP BY ALL");
    }
  });
  const auto beside =
      percentile(commit_latencies(*run,
                                  [&] {
                                    return querying.wait_for(std::chrono::seconds(0)) ==
                                           std::future_status::timeout;
                                  }),
                 0.99);
  print_note("commit latency of a recorder alone, p99", alone, "ms");
  print_note("  while one compacts and another queries", beside, "ms");
  print_row("  ratio", beside / alone, "", 2, false);
}

}  // namespace

void measure_store() {
  measure_recording_beside_compaction();
  const ScratchStore scratch;
  const auto runs = fill(scratch.store, wanted_events());
  print_note("runs in the store", static_cast<double>(runs.size()), "");
  measure_compaction(scratch.store);

  const auto bad = std::make_shared<store::BadPlaces>();
  const auto start = SteadyClock::now();
  const auto database = store::open_views(scratch.store, bad);
  auto connection = *database->connect();
  print_note("opening the views", seconds_since(start) * 1e3, "ms");
  std::size_t next = 0;
  const auto lookup = median_of(15, [&] {
    next += runs.size() / 16;
    return milliseconds_of(connection, "SELECT * FROM weir_events(run_id := '" + runs[next].text() +
                                           "') ORDER BY run_seq");
  });
  print_row("one run out of 10 M events", lookup, "ms", 20, false);
  measure_cookbook(scratch.store, connection);
  print_row("memory of all of it, at most", peak_mebibytes(), "MiB", 1024, false);
}

}  // namespace weir::bench
