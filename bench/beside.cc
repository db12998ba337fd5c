#include "bench/beside.h"

#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "bench/rows.h"
#include "bench/store_rows.h"
#include "record/recorder.h"
#include "tool/process.h"

namespace weir::bench {
namespace {

using event::Field;
using event::Type;

constexpr const char* kQuery = "SELECT event_type, count(*) FROM events GROUP BY ALL";

std::string output_of(std::vector<std::string> command) {
  const auto done =
      tool::run_process({.command = std::move(command), .folder = std::filesystem::current_path()});
  if (done && done->exit_code == 0) return done->output;
  std::printf("      a process failed\n");
  return "1e9";
}

/// Processes that record into a store while `others` works, and what each of them says.
std::vector<double> latencies_while(const log::StoreDirectory& store, int recorders,
                                    const std::function<void()>& others) {
  const auto stop = store.root() / "stop";
  std::vector<std::future<double>> running;
  for (int i = 0; i < recorders; ++i) {
    running.push_back(std::async(std::launch::async, [&] {
      return std::atof(output_of({"/proc/self/exe", "--record-until", store.root(), stop}).c_str());
    }));
  }
  others();
  std::ofstream(stop) << "\n";
  std::vector<double> latencies;
  for (auto& one : running) latencies.push_back(one.get());
  std::filesystem::remove(stop);
  return latencies;
}

void compact_and_query(const log::StoreDirectory& store) {
  auto compacting = std::async(
      std::launch::async, [&] { output_of({WEIR_PROGRAM, "--store", store.root(), "compact"}); });
  while (compacting.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) {
    output_of({WEIR_PROGRAM, "--store", store.root(), "sql", kQuery});
  }
}

}  // namespace

int record_until(const char* store, const char* stop) {
  record::Recorder recorder(*log::StoreDirectory::create(store));
  const auto run = *recorder.begin({.run_id = RunId::make(system_clock().now()),
                                    .pipeline_type = "dag",
                                    .pipeline_id = "live",
                                    .pipeline_version = "1",
                                    .trace_id = TraceId::make()});
  std::vector<double> latencies;
  while (!std::filesystem::exists(stop)) {
    const auto start = SteadyClock::now();
    run->emit(Type::kLog, {{Field::kMessage, std::string_view("grouped 3000000 rows by origin")}});
    if (!run->flush()) return 1;
    latencies.push_back(seconds_since(start) * 1e3);
  }
  if (latencies.empty()) return 1;
  std::printf("%f\n", percentile(std::move(latencies), 0.99));
  return 0;
}

void measure_recording_beside_others() {
  const ScratchStore scratch;
  fill(scratch.store, wanted_events() / 10);
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::seconds(2)); };
  const auto alone = latencies_while(scratch.store, 1, wait).front();
  const auto beside = std::ranges::max(
      latencies_while(scratch.store, 2, [&] { compact_and_query(scratch.store); }));
  print_note("commit latency of a process that records alone, p99", alone, "ms");
  print_note("  of two, while one compacts and another queries", beside, "ms");
  print_row("  ratio", beside / alone, "", 2, false);
}

}  // namespace weir::bench
