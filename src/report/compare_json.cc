#include "report/compare.h"
#include "report/json_values.h"

namespace weir::report {
namespace {

json::Object side_json(const Side& side) {
  json::Object object;
  object.set("run_id", side.run_id.text());
  object.set("pipeline_id", side.pipeline_id);
  object.set("state", side.state);
  object.set("started_at", to_string(side.started_at));
  object.set("duration_ms", or_null(side.duration_ms));
  return object;
}

json::Object change_json(const Change& change) {
  json::Object object;
  object.set("what", change.what);
  object.set("a", text_or_null(change.a));
  object.set("b", text_or_null(change.b));
  return object;
}

json::Array changes_json(const std::vector<Change>& changes) {
  return array_of(changes, change_json);
}

json::Object duration_json(const DurationChange& duration) {
  json::Object object;
  object.set("a_ms", or_null(duration.a_ms));
  object.set("b_ms", or_null(duration.b_ms));
  if (duration.usual) {
    object.set("median_ms", duration.usual->median);
    object.set("mad_ms", duration.usual->deviation);
  }
  object.set("earlier_runs",
             duration.usual ? static_cast<std::int64_t>(duration.usual->count) : std::int64_t{0});
  object.set("pace", pace_name(duration.pace));
  return object;
}

json::Object node_json(const NodeComparison& node) {
  json::Object object;
  object.set("node_id", node.node_id);
  object.set("differs", node.differs());
  object.set("state_a", node.state_a.empty() ? json::Value() : json::Value(node.state_a));
  object.set("state_b", node.state_b.empty() ? json::Value() : json::Value(node.state_b));
  object.set("changes", changes_json(node.changes));
  object.set("output_differs", node.output_differs);
  if (node.output) {
    object.set("output", change_json({node.output->path, node.output->left, node.output->right}));
  }
  object.set("duration", duration_json(node.duration));
  return object;
}

json::Array logs_json(const std::vector<LogOnlyIn>& logs) {
  json::Array array;
  array.reserve(logs.size());
  for (const auto& log : logs) {
    json::Object object;
    object.set("node_id", log.node_id.empty() ? json::Value() : json::Value(log.node_id));
    object.set("level", log.level);
    object.set("message", log.message);
    object.set("count", log.count);
    array.emplace_back(std::move(object));
  }
  return array;
}

}  // namespace

json::Object to_json(const Comparison& comparison) {
  json::Object object;
  object.set("same", comparison.is_same());
  object.set("a", side_json(comparison.a));
  object.set("b", side_json(comparison.b));
  json::Value parting;
  if (comparison.parting) {
    json::Object first;
    const auto text_or_null_in = [](const std::string& text) {
      return text.empty() ? json::Value() : json::Value(text);
    };
    first.set("setting", text_or_null_in(comparison.parting->setting));
    first.set("node_id", text_or_null_in(comparison.parting->node_id));
    first.set("sentence", text_or_null_in(comparison.parting->sentence));
    parting = std::move(first);
  }
  object.set("first_difference", std::move(parting));
  object.set("settings", changes_json(comparison.settings));
  object.set("outcome", changes_json(comparison.outcome));
  const auto texts = [](const std::vector<std::string>& ids) {
    return json::Array(ids.begin(), ids.end());
  };
  json::Object graph;
  graph.set("nodes_added", texts(comparison.nodes_added));
  graph.set("nodes_removed", texts(comparison.nodes_removed));
  graph.set("nodes_moved", changes_json(comparison.nodes_moved));
  object.set("graph", std::move(graph));
  object.set("duration", duration_json(comparison.duration));
  json::Array nodes;
  nodes.reserve(comparison.nodes.size());
  for (const auto& node : comparison.nodes) nodes.emplace_back(node_json(node));
  object.set("nodes", std::move(nodes));
  object.set("logs_only_a", logs_json(comparison.logs_only_a));
  object.set("logs_only_b", logs_json(comparison.logs_only_b));
  object.set("counts", changes_json(comparison.counts));
  return object;
}

}  // namespace weir::report
