#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>

#include "export/metrics_files.h"

namespace weir::exporting {
namespace {

using project::RunMetrics;
using project::WorkMetrics;

struct Label {
  std::string_view name;
  std::string_view value;
};

/// Writes families: HELP and TYPE once, then a line for each series.
class Writer {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help);
    out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::span<const Label> labels, double value, std::string_view suffix = {}) {
    out_.append(name_).append(suffix);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      out_.append(i == 0 ? "{" : ",").append(labels[i].name).append("=\"");
      append_value(labels[i].value);
      out_ += '"';
    }
    if (!labels.empty()) out_ += '}';
    out_ += ' ';
    append_number(value);
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  void append_value(std::string_view value) {
    for (const char c : value) {
      if (c == '\n') {
        out_ += "\\n";
        continue;
      }
      if (c == '\\' || c == '"') out_ += '\\';
      out_ += c;
    }
  }
  void append_number(double value) {
    if (!std::isfinite(value)) {
      out_ += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
      return;
    }
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), value).ptr;
    out_.append(text.begin(), end);
  }

  std::string name_;
  std::string out_;
};

/// A family that all three kinds of series have.
struct Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  /// Nothing where the series has no such value.
  std::optional<double> (*value)(const WorkMetrics& work);
};

std::optional<double> seconds(const project::Statistics& duration_ms, double value_ms) {
  if (duration_ms.count == 0) return {};
  return value_ms / 1000;
}

constexpr Family kFamilies[] = {
    {"retries_total", "counter", "Retries that were scheduled.",
     [](const WorkMetrics& work) { return std::optional<double>(work.retries); }},
    {"cache_hits_total", "counter", "Results that came from a cache.",
     [](const WorkMetrics& work) { return std::optional<double>(work.cache_hits); }},
    {"cache_misses_total", "counter", "Results that a cache did not have.",
     [](const WorkMetrics& work) { return std::optional<double>(work.cache_misses); }},
    {"rows_total", "counter", "Rows made.",
     [](const WorkMetrics& work) { return std::optional<double>(work.rows); }},
    {"duration_min_seconds", "gauge", "Shortest execution.",
     [](const WorkMetrics& work) { return seconds(work.duration_ms, work.duration_ms.min); }},
    {"duration_max_seconds", "gauge", "Longest execution.",
     [](const WorkMetrics& work) { return seconds(work.duration_ms, work.duration_ms.max); }},
    {"throughput_rows_per_second", "gauge", "Rows made in a second, the mean of executions.",
     [](const WorkMetrics& work) -> std::optional<double> {
       if (work.rows_per_second.count == 0) return {};
       return work.rows_per_second.average();
     }},
    {"memory_bytes", "gauge", "Largest resident size of an execution.",
     [](const WorkMetrics& work) -> std::optional<double> {
       if (work.memory_bytes.count == 0) return {};
       return work.memory_bytes.max;
     }},
};

/// One kind of series, under its own names.
struct Kind {
  std::string prefix;
  std::string_view first_label;
  std::string_view second_label;  ///< empty: the key has one part
  const RunMetrics::Series& series;
};

using Labels = std::vector<Label>;

void for_each(const Kind& kind, const std::function<void(Labels, const WorkMetrics&)>& take) {
  for (const auto& [key, work] : kind.series) {
    Labels labels = {{kind.first_label, key.first}};
    if (!kind.second_label.empty()) labels.push_back({kind.second_label, key.second});
    take(std::move(labels), work);
  }
}

void write_executions(Writer& out, const Kind& kind) {
  out.family(kind.prefix + "executions_total", "counter", "Executions that ended, by their state.");
  for_each(kind, [&](Labels labels, const WorkMetrics& work) {
    auto& state = labels.emplace_back(Label{"state", "completed"});
    out.sample(labels, static_cast<double>(work.completed));
    state.value = "failed";
    out.sample(labels, static_cast<double>(work.failed));
    state.value = "cancelled";
    out.sample(labels, static_cast<double>(work.cancelled));
  });
}

void write_durations(Writer& out, const Kind& kind) {
  out.family(kind.prefix + "duration_seconds", "summary", "How long executions took.");
  for_each(kind, [&](const Labels& labels, const WorkMetrics& work) {
    out.sample(labels, work.duration_ms.sum / 1000, "_sum");
    out.sample(labels, static_cast<double>(work.duration_ms.count), "_count");
  });
}

void write_errors(Writer& out, const Kind& kind) {
  out.family(kind.prefix + "errors_total", "counter", "Executions that failed, by type of error.");
  for_each(kind, [&](Labels labels, const WorkMetrics& work) {
    labels.emplace_back(Label{"type", {}});
    for (const auto& [type, count] : work.errors) {
      labels.back().value = type;
      out.sample(labels, static_cast<double>(count));
    }
  });
}

void write_kind(Writer& out, const Kind& kind) {
  if (kind.series.empty()) return;
  write_executions(out, kind);
  write_durations(out, kind);
  write_errors(out, kind);
  for (const auto& family : kFamilies) {
    out.family(kind.prefix + std::string(family.name), family.type, family.help);
    for_each(kind, [&](const Labels& labels, const WorkMetrics& work) {
      if (const auto value = family.value(work)) out.sample(labels, *value);
    });
  }
}

void write_totals(Writer& out, const RunMetrics& metrics, Timestamp now) {
  const auto& total = metrics.total();
  const auto summary = metrics.summary(now);
  const auto write = [&](std::string_view name, std::string_view type, std::string_view help,
                         double value) {
    out.family(name, type, help);
    out.sample({}, value);
  };
  const auto count = [](std::uint64_t number) { return static_cast<double>(number); };
  write("weir_cache_hits_total", "counter", "Results that came from a cache.",
        count(total.cache_hits));
  write("weir_cache_misses_total", "counter", "Results that a cache did not have.",
        count(total.cache_misses));
  write("weir_cache_hit_rate", "gauge", "Hits of all answers of caches, 0 to 1.",
        summary.cache_hit_rate);
  write("weir_errors_total", "counter", "Executions of nodes that failed.", count(total.failed));
  write("weir_error_rate", "gauge", "Executions of nodes that failed, of all, 0 to 1.",
        summary.error_rate);
  write("weir_throughput_rows_per_second", "gauge",
        "Rows made in a second, the mean of executions of nodes.", summary.avg_throughput);
  write("weir_uptime_seconds", "gauge", "Since the first event.", summary.uptime_seconds);
  write("weir_metrics_total", "counter", "Values measured and counted.",
        count(summary.total_metrics));
  write("weir_metrics_overflow_total", "counter",
        "Values counted under (other) since there were too many series.",
        count(metrics.overflow()));
}

}  // namespace

std::string to_prometheus(const RunMetrics& metrics, Timestamp now) {
  Writer out;
  write_kind(out, {"weir_pipeline_", "pipeline", {}, metrics.pipelines()});
  write_kind(out, {"weir_tool_", "plugin", "tool", metrics.tools()});
  write_kind(out, {"weir_node_", "pipeline", "node", metrics.nodes()});
  write_totals(out, metrics, now);
  return out.take();
}

}  // namespace weir::exporting
