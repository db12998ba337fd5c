#include "report/plan.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace weir::report {
namespace {

/// Gives each id its place.
class Places {
 public:
  explicit Places(Plan& plan) : plan_(plan) {}

  std::size_t of(std::string_view id) {
    const auto [found, is_new] = places_.try_emplace(std::string(id), plan_.size());
    if (is_new) plan_.push_back({.id = std::string(id)});
    return found->second;
  }

  void connect(std::string_view from, std::string_view to) {
    const auto before = of(from), after = of(to);
    auto& needs = plan_[after].needs;
    if (before != after && std::ranges::find(needs, before) == needs.end()) needs.push_back(before);
  }

 private:
  Plan& plan_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Plan plan_of(const pipeline::Definition& definition) {
  Plan plan;
  plan.reserve(definition.nodes.size());
  Places places(plan);
  for (const auto& node : definition.nodes) places.of(node.id.text);
  for (const auto& edge : definition.edges) {
    if (!edge.stream) places.connect(edge.from.text, edge.to.text);
  }
  return plan;
}

Plan plan_of(const project::RunState& run) {
  Plan plan;
  plan.reserve(run.nodes.size());
  Places places(plan);
  for (const auto& node : run.nodes) {
    const auto id = node_of_item(node.node_id);
    places.of(id);
    for (const auto& before : node.predecessors) places.connect(node_of_item(before), id);
  }
  return plan;
}

std::string_view node_of_item(std::string_view node_id) {
  if (!node_id.ends_with(']')) return node_id;
  const auto open = node_id.rfind('[');
  if (open == std::string_view::npos || open == 0) return node_id;
  const auto number = node_id.substr(open + 1, node_id.size() - open - 2);
  const bool is_number =
      !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? node_id.substr(0, open) : node_id;
}

std::vector<std::size_t> order_of(const Plan& plan) {
  std::vector<std::size_t> missing(plan.size());
  std::vector<std::vector<std::size_t>> after(plan.size());
  std::vector<std::size_t> order;
  order.reserve(plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    missing[i] = plan[i].needs.size();
    for (const auto before : plan[i].needs) after[before].push_back(i);
    if (missing[i] == 0) order.push_back(i);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const auto i : after[order[next]]) {
      if (--missing[i] == 0) order.push_back(i);
    }
  }
  return order;
}

}  // namespace weir::report
