#include <cstdio>

#include "base/text.h"
#include "export/metrics_files.h"

namespace weir::exporting {
namespace {

constexpr std::size_t kWidth = 70;
constexpr std::size_t kNameWidth = 30;

std::string fixed(double value, int decimals, int width = 0) {
  char text[400];  // a double has at most 309 digits before its point
  std::snprintf(text, sizeof text, "%*.*f", width, decimals, value);
  return text;
}

std::string rule(char c) { return std::string(kWidth, c) + "\n"; }

/// `name` and spaces up to the width, in characters as people count them.
std::string padded(const std::string& name) {
  std::size_t width = 0;
  for (const char c : name) width += (static_cast<unsigned char>(c) & 0xc0U) == 0x80U ? 0 : 1;
  return width < kNameWidth ? name + std::string(kNameWidth - width, ' ') : name;
}

std::string line_of(const std::string& name, const project::WorkMetrics& node) {
  auto executions = std::to_string(node.executions());
  if (executions.size() < 3) executions.insert(0, 3 - executions.size(), ' ');
  return padded(name) + " Avg: " + fixed(node.duration_ms.average(), 2, 8) +
         "ms  Executions: " + executions + "\n";
}

}  // namespace

std::string metrics_report(const project::RunMetrics& metrics, Timestamp now) {
  const auto summary = metrics.summary(now);
  std::string text = rule('=') + "Weir Metrics Report\n" + rule('=');
  text += "Generated: " + to_string(now) + "\n";
  text += "Uptime: " + fixed(summary.uptime_seconds, 2) + "s\n";
  text += "Total Metrics: " + std::to_string(summary.total_metrics) + "\n\n";
  text += "Summary Statistics:\n" + rule('-');
  text += "Cache Hit Rate: " + fixed(summary.cache_hit_rate * 100, 1) + "%\n";
  text += "Error Rate: " + fixed(summary.error_rate * 100, 1) + "%\n";
  text += "Avg Throughput: " + fixed(summary.avg_throughput, 2) + " rows/sec\n\n";
  text += "Per-Node Statistics:\n" + rule('-');
  const bool has_one_pipeline = metrics.pipelines().size() <= 1;
  for (const auto& [key, node] : metrics.nodes()) {
    text += line_of(text::printable(has_one_pipeline ? key.second : key.first + "/" + key.second),
                    node);
  }
  return text + rule('=');
}

}  // namespace weir::exporting
