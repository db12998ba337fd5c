#include "pipeline/validate.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "pipeline/graph.h"

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

class Validator {
 public:
  Validator(const Definition& definition, const tool::Registry& tools)
      : definition_(definition), tools_(tools) {
    for (const auto& node : definition.nodes) ids_.push_back(node.id.text);
    std::sort(ids_.begin(), ids_.end());
  }

  std::vector<Problem> run() {
    check_ids();
    for (const auto& node : definition_.nodes) check_tool(node);
    check_edges();
    check_ends(definition_.entry_nodes, "entry");
    check_ends(definition_.output_nodes, "output");
    const Graph graph(definition_);
    check_cycle(graph);
    check_reachability(graph);
    std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
      return std::pair(a.position.line, a.position.column) <
             std::pair(b.position.line, b.position.column);
    });
    return std::move(problems_);
  }

 private:
  void problem(json::Position at, std::string message) {
    problems_.push_back({at, std::move(message)});
  }
  [[nodiscard]] bool is_node(const std::string& id) const {
    return std::binary_search(ids_.begin(), ids_.end(), id);
  }

  /// Comparing with every id takes long, and nobody reads more suggestions than this.
  std::string suggest_node(const std::string& id) {
    constexpr int kMaxSuggestions = 20;
    if (suggestions_ == kMaxSuggestions) return {};
    ++suggestions_;
    return text::did_you_mean(id, ids_);
  }

  /// Ids become names of views, and DuckDB's names are the same in any case.
  void check_ids() {
    std::unordered_map<std::string, const Located*> first;
    for (const auto& node : definition_.nodes) {
      const auto& [id, position] = node.id;
      if (id.empty()) continue;  // reported when it was read
      if (!is_valid_id(id)) {
        problem(position, "node id '" + id.substr(0, 128) +
                              "' may hold letters, digits, '_', '-' and '.' only, at most 128");
      }
      const auto [known, added] = first.try_emplace(lower_case(id), &node.id);
      if (added) continue;
      const auto& earlier = *known->second;
      problem(position, earlier.text == id ? "node id '" + id + "' is used twice, first in line " +
                                                 std::to_string(earlier.position.line)
                                           : "node ids '" + earlier.text + "' and '" + id +
                                                 "' differ in case only");
    }
  }

  void check_tool(const Node& node) {
    const auto& plugin = node.plugin_id.text;
    const auto& tool = node.tool_id.text;
    if (plugin.empty()) return;
    const auto plugins = tools_.plugin_ids();
    if (std::find(plugins.begin(), plugins.end(), plugin) == plugins.end()) {
      return problem(node.plugin_id.position, "unknown plugin '" + plugin + "'" +
                                                  text::did_you_mean(plugin, plugins) +
                                                  " (known: " + text::join(plugins) + ")");
    }
    if (tool.empty()) return;
    const auto* found = tools_.find(plugin, tool);
    if (found == nullptr) {
      const auto known = tools_.tool_ids(plugin);
      return problem(node.tool_id.position, "plugin '" + plugin + "' has no tool '" + tool + "'" +
                                                text::did_you_mean(tool, known) +
                                                " (known: " + text::join(known) + ")");
    }
    check_settings(node, found->spec());
  }

  void check_settings(const Node& node, const tool::ToolSpec& spec) {
    if (!node.with_was_read) return;
    const auto name = spec.plugin_id + "." + spec.tool_id;
    std::vector<std::string> known;
    for (const auto& setting : spec.settings) {
      known.push_back(setting.name);
      const auto* value = node.with.find(setting.name);
      if (value == nullptr && setting.required) {
        problem(node.with_position, name + " needs '" + setting.name + "' in 'with'");
      }
      if (value != nullptr) check_kind(setting, *value, name);
    }
    for (const auto& member : node.with) {
      if (std::find(known.begin(), known.end(), member.key) == known.end() && !known.empty()) {
        problem(member.position, name + " has no setting '" + member.key + "'" +
                                     text::did_you_mean(member.key, known));
      }
    }
  }

  void check_kind(const tool::Setting& setting, const json::Value& value, const std::string& name) {
    const auto is_string = [](const json::Value& item) { return item.string() != nullptr; };
    const auto* items = value.array();
    switch (setting.kind) {
      case tool::Setting::Kind::kString:
        if (is_string(value)) return;
        break;
      case tool::Setting::Kind::kInteger:
        if (value.integer() != nullptr && *value.integer() >= 0) return;
        break;
      case tool::Setting::Kind::kStrings:
        if (items != nullptr && !items->empty() &&
            std::all_of(items->begin(), items->end(), is_string))
          return;
        break;
    }
    static constexpr std::string_view kWords[] = {"a string", "a list of one or more strings",
                                                  "a whole number from 0"};
    problem(value.position, "'" + setting.name + "' of " + name + " must be " +
                                std::string(kWords[static_cast<std::size_t>(setting.kind)]));
  }

  void check_edges() {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const auto& [from, to] : definition_.edges) {
      for (const auto* end : {&from, &to}) {
        if (!end->text.empty() && !is_node(end->text)) {
          problem(end->position, std::string(end == &from ? "edge from" : "edge to") +
                                     " unknown node '" + end->text + "'" + suggest_node(end->text));
        }
      }
      if (!seen.emplace(from.text, to.text).second && is_node(from.text)) {
        problem(from.position, "edge from '" + from.text + "' to '" + to.text + "' is given twice");
      }
    }
  }

  void check_ends(const std::vector<Located>& ends, std::string_view what) {
    std::set<std::string_view> seen;
    for (const auto& [id, position] : ends) {
      if (!is_node(id)) {
        problem(position,
                std::string(what) + " node '" + id + "' does not exist" + suggest_node(id));
      } else if (!seen.insert(id).second) {
        problem(position, std::string(what) + " node '" + id + "' is given twice");
      }
    }
  }

  void check_cycle(const Graph& graph) {
    const auto cycle = graph.find_cycle();
    if (cycle.empty()) return;
    std::string path;
    for (const auto node : cycle) path += definition_.nodes[node].id.text + " -> ";
    const auto& first = definition_.nodes[cycle.front()].id;
    problem(first.position, "the pipeline contains a cycle: " + path + first.text);
  }

  void check_reachability(const Graph& graph) {
    std::vector<bool> reached(graph.size());
    std::vector<NodeIndex> todo;
    std::unordered_map<std::string_view, NodeIndex> index;
    for (NodeIndex i = 0; i < graph.size(); ++i) index.try_emplace(definition_.nodes[i].id.text, i);
    for (const auto& entry : definition_.entry_nodes) {
      if (const auto found = index.find(entry.text); found != index.end())
        todo.push_back(found->second);
    }
    while (!todo.empty()) {
      const auto node = todo.back();
      todo.pop_back();
      if (reached[node]) continue;
      reached[node] = true;
      todo.insert(todo.end(), graph.successors[node].begin(), graph.successors[node].end());
    }
    for (const auto node : graph.order) {  // not those of a cycle, or behind one: that was reported
      const auto& id = definition_.nodes[node].id;
      // A second node of the same id was reported as such.
      if (!reached[node] && !id.text.empty() && index.at(id.text) == node) {
        problem(id.position, "node '" + id.text + "' cannot be reached from an entry node");
      }
    }
  }

  const Definition& definition_;
  const tool::Registry& tools_;
  std::vector<std::string> ids_;  // sorted
  int suggestions_ = 0;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> validate(const Definition& definition, const tool::Registry& tools) {
  return Validator(definition, tools).run();
}

std::string_view to_string(PipelineType type) {
  return type == PipelineType::kDag ? "dag" : "linear";
}

}  // namespace weir::pipeline
