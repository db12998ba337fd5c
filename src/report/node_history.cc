#include "report/node_history.h"

#include <vector>

#include "report/plan.h"
#include "report/status_queries.h"
#include "store/query.h"

namespace weir::report {
namespace {

std::string joined(std::span<const RunId> runs) {
  std::string text;
  for (const auto& run : runs) text.append(text.empty() ? "" : ",").append(run.text());
  return text;
}

double number_in(const json::Value& value) {
  if (const auto* integer = value.integer()) return static_cast<double>(*integer);
  const auto* number = std::get_if<double>(&value.variant());
  return number == nullptr ? 0 : *number;
}

struct Durations {
  std::vector<double> made;
  std::vector<double> cached;
};

}  // namespace

Result<NodeHistory> NodeHistory::read(store::Connection& connection, std::string_view pipeline_id,
                                      Timestamp before, std::span<const RunId> without,
                                      const std::optional<std::string>& tenant) {
  WEIR_TRY(store::set_variable(connection, "pipeline_id", pipeline_id));
  WEIR_TRY(store::set_variable(connection, "without", joined(without)));
  WEIR_TRY(
      store::set_variable(connection, "before", std::to_string(before.time_since_epoch().count())));
  WEIR_TRY(store::set_variable(connection, "of_everybody", tenant ? "" : "yes"));
  WEIR_TRY(store::set_variable(connection, "tenant", tenant.value_or("")));
  WEIR_TRY(store::set_variable(connection, "runs", std::to_string(kMostRuns)));
  WEIR_TRY(auto rows, connection.query(status_query("node-durations")));
  std::map<std::string, Durations, std::less<>> found;
  while (const auto* row = rows.next()) {
    auto& node = found[*row->at(0).string()];
    (*row->at(2).boolean() ? node.cached : node.made).push_back(number_in(row->at(1)));
  }
  NodeHistory history;
  for (auto& [id, durations] : found) {
    const auto usual =
        usual_of(std::move(durations.made.empty() ? durations.cached : durations.made));
    if (usual) history.nodes_.emplace(id, *usual);
  }
  return history;
}

std::optional<Usual> NodeHistory::usual(std::string_view node_id) const {
  const auto found = nodes_.find(node_of_item(node_id));
  return found == nodes_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace weir::report
