// Measures the budgets of the design that apply so far, and prints PASS or MISS beside each figure.
//
// Every figure is the median of several rounds in one run: machines are noisy, and only ratios of
// one run say something. Where a figure needs the recorder, its writer thread has a core of its own
// on a machine with two.

#include <x86intrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/beside.h"
#include "bench/node_graphs.h"
#include "bench/rows.h"
#include "bench/server_rows.h"
#include "bench/spdlog_logger.h"
#include "bench/store_rows.h"
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

/// By how much a processor's counter goes on at once, from what was counted (sorted): on some one
/// tick, on others dozens, give or take one.
double step_of(const std::vector<std::int64_t>& ticks) {
  constexpr std::int64_t kRounding = 2;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < ticks.size() * 95 / 100; ++i) {
    const auto gap = ticks[i] - ticks[i - 1];
    if (gap > kRounding) gaps.push_back(static_cast<double>(gap));
  }
  return gaps.empty() ? 1 : percentile(gaps, 0.5);
}

/// A percentile of what was counted. Within a step of the counter the values are taken as evenly
/// spread, as for the median of grouped data: what is counted as 40 was anything from 35 to 45.
double percentile_of_ticks(std::vector<std::int64_t> ticks, double share) {
  std::sort(ticks.begin(), ticks.end());
  const auto step = step_of(ticks);
  const auto rank = share * static_cast<double>(ticks.size() - 1);
  const auto value = static_cast<double>(ticks[static_cast<std::size_t>(rank)]);
  const auto first = std::lower_bound(ticks.begin(), ticks.end(), value - step / 2);
  const auto last = std::upper_bound(ticks.begin(), ticks.end(), value + step / 2);
  const auto below = static_cast<double>(first - ticks.begin());
  const auto count = static_cast<double>(last - first);
  const auto center = std::accumulate(first, last, 0.0) / count;
  return center + ((rank - below) / count - 0.5) * step;
}

/// How long calls took, in nanoseconds, without what the timing takes.
struct Latencies {
  double p50 = 0;
  double p99 = 0;
};

/// One call of `emit` every microsecond or so, each timed by itself.
Latencies latencies(const std::function<void(int)>& emit) {
  constexpr int kEvents = 200'000;
  const auto ticks_per_ns = tsc_ticks_per_ns();
  std::vector<std::int64_t> timer_only, emitted;
  for (int i = 0; i < kEvents; ++i) {
    unsigned core = 0;
    const auto t0 = __rdtscp(&core);
    const auto t1 = __rdtscp(&core);
    emit(i);
    const auto t2 = __rdtscp(&core);
    timer_only.push_back(static_cast<std::int64_t>(t1 - t0));
    emitted.push_back(static_cast<std::int64_t>(t2 - t1));
    while (static_cast<double>(__rdtsc() - t2) < 1000 * ticks_per_ns) {
    }
  }
  const auto timer = percentile_of_ticks(std::move(timer_only), 0.5);
  const auto of = [&](double share) {
    return (percentile_of_ticks(emitted, share) - timer) / ticks_per_ns;
  };
  return {.p50 = of(0.5), .p99 = of(0.99)};
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
  print_row("emit on a hot thread, six fields, p50", ours.p50, "ns", 40, false);
  print_row("emit on a hot thread, six fields, p99", ours.p99, "ns", 300, false);
  print_note("  spdlog, asynchronous, the same event, p50", theirs.p50, "ns");
  print_note("  spdlog, asynchronous, the same event, p99", theirs.p99, "ns");
  print_note("  ratio of the p50, spdlog to Weir", theirs.p50 / ours.p50, "");
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

/// All of them, or those that are named. `--record-until STORE FILE` is for processes of its own.
int main(int count, char** words) {
  if (count == 4 && std::string_view(words[1]) == "--record-until") {
    return weir::bench::record_until(words[2], words[3]);
  }
  static constexpr std::pair<std::string_view, void (*)()> kMeasures[] = {
      {"emit", weir::measure_emit_latency},        {"sustained", weir::measure_sustained_recording},
      {"nodes", weir::bench::measure_no_op_nodes}, {"start", weir::measure_start},
      {"store", weir::bench::measure_store},       {"server", weir::bench::measure_server},
  };
  const std::vector<std::string_view> wanted(words + 1, words + count);
  std::printf("%-4s  %-58s %10s %-10s budget\n", "", "path", "median", "");
  for (const auto& [name, measure] : kMeasures) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end()) measure();
  }
  return 0;
}
