#include <algorithm>
#include <set>

#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

/// Ids become names of views, files and topics.
bool is_valid_id(std::string_view id) {
  constexpr std::size_t kMaxId = 128;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), allowed);
}

std::string lower_case(std::string text) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::transform(text.begin(), text.end(), text.begin(), lower);
  return text;
}

/// Ids become names of views, and DuckDB's names are the same in any case.
void check_ids(Checks& checks) {
  std::unordered_map<std::string, const Located*> first;
  for (const auto& node : checks.definition.nodes) {
    const auto& [id, position] = node.id;
    if (id.empty()) continue;  // reported when it was read
    if (!is_valid_id(id)) {
      checks.problem(position,
                     "node id '" + id.substr(0, 128) +
                         "' may hold letters, digits, '_', '-' and '.' only, at most 128");
    }
    const auto [known, added] = first.try_emplace(lower_case(id), &node.id);
    if (added) continue;
    const auto& earlier = *known->second;
    checks.problem(position,
                   earlier.text == id
                       ? "node id '" + id + "' is used twice, first in line " +
                             std::to_string(earlier.position.line)
                       : "node ids '" + earlier.text + "' and '" + id + "' differ in case only");
  }
}

void check_edges(Checks& checks) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& [from, to, stream] : checks.definition.edges) {
    checks.code = "UNKNOWN_NODE";
    for (const auto* end : {&from, &to}) {
      if (!end->text.empty() && !checks.is_node(end->text)) {
        checks.problem(end->position, std::string(end == &from ? "edge from" : "edge to") +
                                          " unknown node '" + end->text + "'" +
                                          checks.suggest_node(end->text));
      }
    }
    checks.code = from.text == to.text ? "SELF_EDGE" : "DUPLICATE_EDGE";
    if (from.text == to.text && checks.is_node(from.text)) {
      checks.problem(from.position, "node '" + from.text + "' cannot come before itself");
    } else if (!seen.emplace(from.text, to.text).second && checks.is_node(from.text)) {
      checks.problem(from.position,
                     "edge from '" + from.text + "' to '" + to.text + "' is given twice");
    }
  }
}

void check_ends(Checks& checks, const std::vector<Located>& ends, const std::string& what) {
  std::set<std::string_view> seen;
  const auto the_node = [&](const std::string& id) { return what + " node '" + id + "'"; };
  for (const auto& [id, position] : ends) {
    if (id.empty()) continue;  // reported when it was read
    if (!checks.is_node(id)) {
      checks.problem(position, the_node(id) + " does not exist" + checks.suggest_node(id));
    } else if (!seen.insert(id).second) {
      checks.problem(position, the_node(id) + " is given twice");
    }
  }
}

/// Who names outputs names all: what leads nowhere and is no output may be forgotten.
void check_dead_ends(Checks& checks) {
  if (!checks.definition.names_output_nodes) return;
  std::set<std::string_view> outputs;
  for (const auto& output : checks.definition.output_nodes) outputs.insert(output.text);
  for (NodeIndex node = 0; node < checks.graph.size(); ++node) {
    const auto& id = checks.definition.nodes[node].id;
    const bool is_second = id.text.empty() || checks.index.at(id.text) != node;
    if (is_second || !checks.graph.successors[node].empty() || outputs.contains(id.text)) continue;
    checks.problem(id.position, "nothing comes after node '" + id.text +
                                    "', so it must be one of 'output_nodes'");
  }
}

void check_cycles(Checks& checks) {
  for (const auto& cycle : checks.graph.find_cycles()) {
    if (cycle.size() < 2) continue;  // of one node: reported at its edge
    std::string path;
    for (const auto node : cycle) path += checks.definition.nodes[node].id.text + " -> ";
    const auto& first = checks.definition.nodes[cycle.front()].id;
    checks.problem(first.position, "the pipeline contains a cycle: " + path + first.text);
  }
}

void check_reachability(Checks& checks) {
  const auto& graph = checks.graph;
  std::vector<bool> reached(graph.size());
  std::vector<NodeIndex> todo;
  for (const auto& entry : checks.definition.entry_nodes) {
    const auto found = checks.index.find(entry.text);
    if (found != checks.index.end()) todo.push_back(found->second);
  }
  while (!todo.empty()) {
    const auto node = todo.back();
    todo.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    todo.insert(todo.end(), graph.successors[node].begin(), graph.successors[node].end());
  }
  for (const auto node : graph.order) {  // not those of a cycle, or behind one: that was reported
    const auto& id = checks.definition.nodes[node].id;
    // A second node of the same id was reported as such.
    if (!reached[node] && !id.text.empty() && checks.index.at(id.text) == node) {
      checks.problem(id.position, "node '" + id.text + "' cannot be reached from an entry node");
    }
  }
}

}  // namespace

void check_graph(Checks& checks) {
  checks.code = "NODE_ID";
  check_ids(checks);
  check_edges(checks);
  checks.code = "UNKNOWN_NODE";
  check_ends(checks, checks.definition.entry_nodes, "entry");
  check_ends(checks, checks.definition.output_nodes, "output");
  checks.code = "DEAD_END";
  check_dead_ends(checks);
  checks.code = "CYCLE";
  check_cycles(checks);
  checks.code = "UNREACHABLE";
  check_reachability(checks);
}

}  // namespace weir::pipeline
