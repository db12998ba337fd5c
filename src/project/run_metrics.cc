#include "project/run_metrics.h"

#include <algorithm>
#include <limits>

#include "base/utf8.h"

namespace weir::project {
namespace {

using event::EventView;
using event::Field;
using event::Type;

std::string name(std::string_view text) { return std::string(utf8::cut(text, kMaxNameBytes)); }

RunMetrics::Key node_key(const NodeName& node) {
  return {name(node.pipeline_id), name(node.node_id)};
}

NodeName node_of(const EventView& event) {
  return {.pipeline_id = event.text(Field::kPipelineId),
          .node_id = event.text(Field::kNodeId),
          .plugin_id = event.text(Field::kPluginId),
          .tool_id = event.text(Field::kToolId)};
}

Execution execution_of(const EventView& event, Execution::End end) {
  return {.end = end,
          .duration_ms = event.number(Field::kDurationMs),
          .rows = event.integer(Field::kRows).value_or(0),
          .memory_bytes = event.integer(Field::kMemoryBytes).value_or(0),
          .error_type = event.text(Field::kErrorType),
          .at = event.timestamp()};
}

void count_error(WorkMetrics& work, std::string_view type) {
  auto& errors = work.errors;
  auto found = errors.find(utf8::cut(type, kMaxNameBytes));
  if (found == errors.end()) {
    const bool has_room = errors.size() < kMaxErrorTypes;
    found = errors.try_emplace(has_room ? name(type) : std::string(kOther), 0).first;
  }
  ++found->second;
}

}  // namespace

void Statistics::add(double value) {
  min = count == 0 ? value : std::min(min, value);
  max = count == 0 ? value : std::max(max, value);
  sum += value;
  ++count;
}

double Statistics::average() const { return count == 0 ? 0 : sum / static_cast<double>(count); }

double WorkMetrics::cache_hit_rate() const {
  const auto asked = cache_hits + cache_misses;
  return asked == 0 ? 0 : static_cast<double>(cache_hits) / static_cast<double>(asked);
}

double WorkMetrics::error_rate() const {
  const auto all = executions();
  return all == 0 ? 0 : static_cast<double>(failed) / static_cast<double>(all);
}

void RunMetrics::apply(const EventView& event) {
  if (!started_at_) started_at_ = event.timestamp();
  if (const auto answer = answers_.add(event)) {
    record(node_of(event),
           *answer == CacheAnswer::kHit ? &WorkMetrics::cache_hits : &WorkMetrics::cache_misses,
           event.timestamp());
  }
  switch (event.type()) {
    case Type::kPipelineCompleted:
      return count_run(event, End::kCompleted);
    case Type::kPipelineFailed:
      return count_run(event, End::kFailed);
    case Type::kPipelineCancelled:
      return count_run(event, End::kCancelled);
    case Type::kNodeCompleted:
      return record(node_of(event), execution_of(event, End::kCompleted));
    case Type::kNodeFailed:
      return record(node_of(event), execution_of(event, End::kFailed));
    case Type::kNodeCancelled:
      return record(node_of(event), execution_of(event, End::kCancelled));
    case Type::kNodeRetryScheduled:
      return record(node_of(event), &WorkMetrics::retries, event.timestamp());
    default:
      return;
  }
}

WorkMetrics& RunMetrics::series(Series& all, Key key) {
  const auto found = all.find(key);
  if (found != all.end()) return found->second;
  if (all.size() >= max_series_) {
    ++overflow_;
    key = {std::string(kOther), std::string(kOther)};
  }
  return all[std::move(key)];
}

WorkMetrics& RunMetrics::tool_of(const NodeName& named, const Key& node) {
  if (!named.tool_id.empty()) {
    Key tool = {name(named.plugin_id), name(named.tool_id)};
    const auto known = tool_of_node_.find(node);
    if (known != tool_of_node_.end()) {
      known->second = tool;
    } else if (tool_of_node_.size() < max_series_) {
      tool_of_node_.emplace(node, tool);
    }
    return series(tools_, std::move(tool));
  }
  const auto known = tool_of_node_.find(node);
  return series(tools_, known == tool_of_node_.end() ? Key(kOther, kOther) : known->second);
}

void RunMetrics::record(const NodeName& named, std::uint64_t WorkMetrics::* counter, Timestamp at) {
  if (!started_at_) started_at_ = at;
  const auto node = node_key(named);
  for (auto* work : {&total_, &series(nodes_, node), &tool_of(named, node),
                     &series(pipelines_, {node.first, {}})}) {
    ++(work->*counter);
    work->last_at = std::max(work->last_at, at);
  }
  ++measurements_;
}

void RunMetrics::record(const NodeName& named, Statistics WorkMetrics::* values, double value,
                        Timestamp at) {
  if (!started_at_) started_at_ = at;
  const auto node = node_key(named);
  for (auto* work : {&total_, &series(nodes_, node), &tool_of(named, node)}) {
    (work->*values).add(value);
    work->last_at = std::max(work->last_at, at);
  }
  ++measurements_;
}

void RunMetrics::record(const NodeName& named, const Execution& execution) {
  if (!started_at_) started_at_ = execution.at;
  const auto node = node_key(named);
  measurements_ += add_execution(total_, execution);
  add_execution(series(nodes_, node), execution);
  add_execution(tool_of(named, node), execution);
}

void RunMetrics::count_run(const EventView& event, End end) {
  auto& pipeline = series(pipelines_, {name(event.text(Field::kPipelineId)), {}});
  measurements_ += add_execution(pipeline, execution_of(event, end));
}

/// How many values it took.
std::uint64_t RunMetrics::add_execution(WorkMetrics& work, const Execution& execution) {
  std::uint64_t values = 1;
  const auto end = execution.end;
  ++(end == End::kCompleted ? work.completed : end == End::kFailed ? work.failed : work.cancelled);
  work.last_at = std::max(work.last_at, execution.at);
  if (end == End::kFailed) count_error(work, execution.error_type);

  // Below 0 they can only be another system's mistake, and would make counters go back.
  const auto duration_ms = execution.duration_ms.value_or(-1);
  if (duration_ms >= 0) {
    work.duration_ms.add(duration_ms);
    ++values;
  }
  if (execution.rows > 0) {
    const auto left = std::numeric_limits<std::uint64_t>::max() - work.rows;
    work.rows += std::min(left, static_cast<std::uint64_t>(execution.rows));
    if (duration_ms > 0) {
      work.rows_per_second.add(static_cast<double>(execution.rows) / duration_ms * 1000);
    }
    ++values;
  }
  if (execution.memory_bytes > 0) {
    work.memory_bytes.add(static_cast<double>(execution.memory_bytes));
    ++values;
  }
  return values;
}

const WorkMetrics* RunMetrics::find_node(std::string_view pipeline_id,
                                         std::string_view node_id) const {
  const auto found = nodes_.find({name(pipeline_id), name(node_id)});
  return found == nodes_.end() ? nullptr : &found->second;
}

MetricsSummary RunMetrics::summary(Timestamp now) const {
  const auto uptime = now - started_at_.value_or(now);
  return {.total_metrics = measurements_,
          .uptime_seconds = std::max(std::chrono::duration<double>(uptime).count(), 0.0),
          .cache_hit_rate = total_.cache_hit_rate(),
          .error_rate = total_.error_rate(),
          .avg_throughput = total_.rows_per_second.average()};
}

}  // namespace weir::project
