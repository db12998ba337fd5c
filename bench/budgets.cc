// Measures the budgets of the design that apply so far, and prints PASS or MISS beside each figure.
//
// Every figure is the median of several rounds in one run: machines are noisy, and only ratios of
// one run say something. Where a figure needs the recorder, its writer thread has a core of its own
// on a machine with two.

#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/node_graphs.h"
#include "bench/rows.h"
#include "bench/spdlog_logger.h"
#include "log/segment.h"
#include "record/recorder.h"
#include "store/history.h"
#include "tool/process.h"

namespace weir {
namespace {

using namespace bench;
using event::Field;
using event::Type;

std::unique_ptr<record::Run> begin(record::Recorder& recorder) {
  return *recorder.begin({.run_id = RunId::make(system_clock().now()),
                          .pipeline_type = "dag",
                          .pipeline_id = "flights",
                          .pipeline_version = "1",
                          .trace_id = TraceId::make()});
}

/// The six-field event that recording is measured with: what a node's start says, beside the fields
/// of its run.
void emit_six(record::Run& run, const SpanId::Text& span, std::int64_t step) {
  run.emit(Type::kLog, {{Field::kSpanId, std::string_view(span.data(), span.size())},
                        {Field::kNodeId, std::string_view("by_origin")},
                        {Field::kPluginId, std::string_view("sql")},
                        {Field::kToolId, std::string_view("query")},
                        {Field::kStepIndex, step},
                        {Field::kMessage, std::string_view("grouped 3000000 rows by origin")}});
}

double tsc_ticks_per_ns() {
  const auto start = SteadyClock::now();
  const auto ticks = __rdtsc();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return static_cast<double>(__rdtsc() - ticks) / (seconds_since(start) * 1e9);
}

/// One call of `emit` every microsecond or so, each timed by itself: nanoseconds, without what the
/// timing takes.
std::vector<double> latencies(const std::function<void(int)>& emit) {
  constexpr int kEvents = 200'000;
  const auto ticks_per_ns = tsc_ticks_per_ns();
  std::vector<double> timer_only, emitted;
  for (int i = 0; i < kEvents; ++i) {
    unsigned core = 0;
    const auto t0 = __rdtscp(&core);
    const auto t1 = __rdtscp(&core);
    emit(i);
    const auto t2 = __rdtscp(&core);
    timer_only.push_back(static_cast<double>(t1 - t0) / ticks_per_ns);
    emitted.push_back(static_cast<double>(t2 - t1) / ticks_per_ns);
    while (static_cast<double>(__rdtsc() - t2) < 1000 * ticks_per_ns) {
    }
  }
  const auto timer = percentile(timer_only, 0.5);
  for (auto& one : emitted) one -= timer;
  return emitted;
}

void measure_emit_latency() {
  const ScratchStore scratch;
  const auto span = SpanId::make().text();
  const auto ours = [&] {
    record::Recorder recorder(scratch.store);
    const auto run = begin(recorder);
    return latencies([&](int i) { emit_six(*run, span, i); });
  }();
  bench::SpdlogLogger spdlog(scratch.store.root() / "spdlog.log");
  const auto theirs =
      latencies([&](int i) { spdlog.log_six(std::string_view(span.data(), span.size()), i); });
  const auto p50 = percentile(ours, 0.5), p99 = percentile(ours, 0.99);
  print_row("emit on a hot thread, six fields, p50", p50, "ns", 40, false);
  print_row("emit on a hot thread, six fields, p99", p99, "ns", 300, false);
  print_note("  spdlog, asynchronous, the same event, p50", percentile(theirs, 0.5), "ns");
  print_note("  spdlog, asynchronous, the same event, p99", percentile(theirs, 0.99), "ns");
  print_note("  ratio of the p50, spdlog to Weir", percentile(theirs, 0.5) / p50, "");
}

/// Million events a second until all are in the file; nobody waits for the disk.
double spdlog_rate(int events) {
  const ScratchStore scratch;
  const auto span = SpanId::make().text();
  const auto start = SteadyClock::now();
  bench::SpdlogLogger spdlog(scratch.store.root() / "spdlog.log");
  for (int i = 0; i < events; ++i) spdlog.log_six(std::string_view(span.data(), span.size()), i);
  spdlog.finish();
  return events / seconds_since(start) / 1e6;
}

/// The same of writing and syncing commits as large as the recorder's when it has more to write
/// than the disk takes: what the disk leaves of any rate.
double disk_rate(double bytes_an_event) {
  constexpr std::size_t kCommit = std::size_t{16} << 20;
  constexpr int kCommits = 40;
  const ScratchStore scratch;
  auto file = File::create(scratch.store.segment({"disk", 1}));
  log::CommitBuffer lines;
  lines.append(std::string(kCommit, 'x'));
  const auto start = SteadyClock::now();
  for (int i = 0; i < kCommits; ++i) {
    if (i % 4 == 0) file->reserve(i * kCommit, 4 * kCommit);
    if (!file->write_direct(lines.view()) || !file->sync()) return 0;
  }
  return kCommits * static_cast<double>(kCommit) / bytes_an_event / seconds_since(start) / 1e6;
}

void measure_sustained_recording() {
  constexpr int kEvents = 3'000'000;
  double bytes = 0;
  const auto rate = median_of(3, [&] {
    const ScratchStore scratch;
    record::Recorder recorder(scratch.store);
    const auto run = begin(recorder);
    const auto span = SpanId::make().text();
    const auto start = SteadyClock::now();
    for (int i = 0; i < kEvents; ++i) emit_six(*run, span, i);
    if (!run->flush()) return 0.0;
    const auto seconds = seconds_since(start);
    const auto segments = scratch.store.segments();
    for (const auto& path : *segments)
      bytes += static_cast<double>(std::filesystem::file_size(path));
    return kEvents / seconds / 1e6;
  });
  print_row("recorder to log, structured JSON, sustained, committed", rate, "M events/s", 3, true);
  bytes /= 3.0 * kEvents;
  print_note("  bytes an event on disk", bytes, "");
  print_note("  the disk alone, commits of 16 MiB", median_of(3, [&] { return disk_rate(bytes); }),
             "M events/s");
  const auto spdlog = median_of(3, [&] { return spdlog_rate(kEvents); });
  print_note("  spdlog, asynchronous, the same event, not synced", spdlog, "M events/s");
  print_note("  ratio, Weir to spdlog", rate / spdlog, "");
}

/// From before the program is started to the timestamp of its first node's start.
void measure_start() {
  const ScratchStore scratch;
  const auto file = scratch.store.root() / "p.json";
  if (!write_file_durably(
          file,
          R"({"id": "p", "name": "p", "nodes": [{"id": "n", "plugin_id": "process", "tool_id": "run", "with": {"command": ["true"]}}]})"))
    return;
  const auto milliseconds = median_of(15, [&] {
    const auto before = system_clock().now();
    const auto result = tool::run_process(
        {.command = {WEIR_PROGRAM, "run", "--quiet", "--store", scratch.store.root(), file}});
    double first_node = 1e9;
    const auto read =
        store::read_all(scratch.store, [&](const event::EventView& event) -> Result<void> {
          if (event.type() == Type::kNodeStarted && event.timestamp() >= before) {
            first_node =
                std::chrono::duration<double, std::milli>(event.timestamp() - before).count();
          }
          return {};
        });
    return result && read ? first_node : 1e9;
  });
  print_row("weir run: start to first node", milliseconds, "ms", 50, false);
}

}  // namespace
}  // namespace weir

/// All of them, or those that are named.
int main(int count, char** words) {
  static constexpr std::pair<std::string_view, void (*)()> kMeasures[] = {
      {"emit", weir::measure_emit_latency},
      {"sustained", weir::measure_sustained_recording},
      {"nodes", weir::bench::measure_no_op_nodes},
      {"start", weir::measure_start},
  };
  const std::vector<std::string_view> wanted(words + 1, words + count);
  std::printf("%-4s  %-58s %10s %-10s budget\n", "", "path", "median", "");
  for (const auto& [name, measure] : kMeasures) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) measure();
  }
  return 0;
}
