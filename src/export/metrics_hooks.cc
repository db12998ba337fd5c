#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "export/hooks.h"
#include "project/cache_answers.h"

namespace weir::exporting {
namespace {

using event::EventView;
using event::Field;
using event::Type;
using project::CacheAnswer;
using record::Hook;
using record::Published;

/// So many runs can be open at once in a hook's memory; of more, the counts of one are forgotten.
constexpr std::size_t kMaxOpenRuns = 4096;
/// The publisher waits for a slow disk so long, and then goes on without the hook.
constexpr std::chrono::milliseconds kExportTimeout{10'000};

/// Of cache answers and of the ends of what they are about.
constexpr std::string_view kTopics[] = {
    "pipeline.completed", "pipeline.failed",   "pipeline.cancelled",      "stage.*.completed",
    "stage.*.failed",     "stage.*.cancelled", "stage.*.retry_scheduled", "cache.*"};

std::vector<event::TopicPattern> topics() {
  std::vector<event::TopicPattern> all;
  for (const auto text : kTopics) {
    auto pattern = event::TopicPattern::parse(text);
    WEIR_CHECK(pattern);
    all.push_back(*std::move(pattern));
  }
  return all;
}

bool ends_run(const EventView& event) {
  return event.type() == Type::kPipelineCompleted || event.type() == Type::kPipelineFailed ||
         event.type() == Type::kPipelineCancelled;
}

struct CacheCounts {
  std::int64_t hits = 0;
  std::int64_t misses = 0;
  std::optional<std::int64_t> size_bytes;
};

/// What caches answered the runs that are open.
class CacheStatistics {
 public:
  /// The counts of the run that this event ends, if a cache was asked in it.
  std::optional<CacheCounts> add(const EventView& event) {
    if (const auto answer = answers_.add(event)) {
      if (runs_.size() >= kMaxOpenRuns && !runs_.contains(event.run_id())) {
        runs_.erase(runs_.begin());  // of our own ids the oldest
      }
      auto& counts = runs_[event.run_id()];
      ++(*answer == CacheAnswer::kHit ? counts.hits : counts.misses);
      const auto size = event.integer(Field::kReadBytes);
      if (event.type() == Type::kCacheHit && size) {
        counts.size_bytes = counts.size_bytes.value_or(0) + *size;
      }
    }
    if (!ends_run(event)) return {};
    const auto node = runs_.extract(event.run_id());
    if (node.empty()) return {};
    return node.mapped();
  }

 private:
  project::CacheAnswers answers_;
  std::map<RunId, CacheCounts> runs_;
};

/// ODIBI CORE's text.
std::string to_text(const CacheCounts& counts) {
  const auto hits = static_cast<double>(counts.hits);
  const auto asked = static_cast<double>(counts.hits + counts.misses);
  const std::string rule = std::string(40, '-') + "\n";
  char line[64];
  std::snprintf(line, sizeof line, "Hit Rate: %.1f%%\n", hits / asked * 100);
  std::string text = "\nCache Statistics:\n" + rule;
  text += "Hits: " + std::to_string(counts.hits) + "\n";
  text += "Misses: " + std::to_string(counts.misses) + "\n" + line;
  if (counts.size_bytes) {
    const auto size_bytes = static_cast<double>(*counts.size_bytes);
    std::snprintf(line, sizeof line, "Size: %.2f MB\n", size_bytes / (1 << 20));
    text += line;
  }
  return text + rule + "\n";
}

Result<void> save(const MetricsExport& options, const project::RunMetrics& metrics) {
  WEIR_TRY(save_metrics(metrics, options.folder, options.formats, options.clock->now()));
  if (options.keep == 0) return {};
  for (const auto format : options.formats) {
    WEIR_TRY(record::rotate_logs({.folder = options.folder,
                                  .pattern = "metrics_*." + std::string(extension(format)),
                                  .keep = options.keep}));
  }
  return {};
}

}  // namespace

Result<Hook> metrics_export_hook(MetricsExport options) {
  if (options.folder.empty() || options.formats.empty()) {
    return fail(ErrorCode::kInvalidInput, "metrics export: it needs a folder and a format");
  }
  auto call = [options = std::move(options), metrics = std::make_shared<project::RunMetrics>()](
                  const Published& event, const std::stop_token&) -> Result<void> {
    metrics->apply(event.event);
    return ends_run(event.event) ? save(options, *metrics) : Result<void>();
  };
  return Hook{.name = "metrics_export",
              .topics = topics(),
              .call = std::move(call),
              .priority = record::HookPriority::kLow,
              .timeout = kExportTimeout};
}

Hook cache_statistics_hook(record::Print print) {
  WEIR_CHECK(print);
  auto call = [print = std::move(print), statistics = std::make_shared<CacheStatistics>()](
                  const Published& event, const std::stop_token&) -> Result<void> {
    const auto counts = statistics->add(event.event);
    return counts ? print(to_text(*counts)) : Result<void>();
  };
  return {.name = "cache_statistics", .topics = topics(), .call = std::move(call)};
}

}  // namespace weir::exporting
