// Asks a store how its runs have been, and writes the answer as a page; measures itself while it
// does, and exports that.
//
//   store_report STORE FOLDER

#include <weir/metrics.h>
#include <weir/report.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

namespace {

int complain(const weir::Status& status) {
  std::fprintf(stderr, "store_report: %s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "store_report STORE FOLDER\n");
    return 2;
  }
  const std::string folder = argv[2];
  auto reports = weir::Reports::open(argv[1]);
  if (!reports) return complain(reports.status());

  weir::MetricsManager metrics;
  const auto begin = std::chrono::steady_clock::now();
  auto summary = reports->summary();  // of the last 24 hours
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  weir::NodeExecution asked;
  asked.node = "summary";
  asked.duration_ms = took.count();
  asked.success = summary.is_ok();
  metrics.record_node_execution(asked);
  if (!summary) return complain(summary.status());

  std::printf("%llu runs, %llu completed, %llu errors\n",
              static_cast<unsigned long long>(summary->runs.total),
              static_cast<unsigned long long>(summary->runs.completed),
              static_cast<unsigned long long>(summary->errors));
  std::ofstream(folder + "/summary.html") << weir::render(*summary, weir::ReportFormat::kHtml);

  const weir::MetricsExporter exporter(metrics);
  if (auto saved = exporter.save_prometheus(folder + "/metrics.prom"); !saved) {
    return complain(saved);
  }
  if (auto saved = exporter.save_parquet(folder + "/metrics.parquet"); !saved) {
    return complain(saved);
  }
  return 0;
}
