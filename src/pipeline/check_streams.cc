#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "pipeline/ancestry.h"
#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

/// What a node with a stream may not say, and why.
struct Conflict {
  std::string_view setting;
  std::string_view why;
  bool (*is_used)(const Node& node);
};

constexpr std::string_view kTogether = "nodes that streams join start together";
constexpr std::string_view kNoSecondTime = "what a stream has carried is gone";

constexpr auto kConflicts = std::to_array<Conflict>({
    {"retry", kNoSecondTime,
     [](const Node& node) { return node.retry && node.retry->max_attempts > 1; }},
    {"guard_retry", kNoSecondTime, [](const Node& node) { return node.guard_retry.has_value(); }},
    {"cache", "an output of an earlier run has no stream",
     [](const Node& node) { return node.cache && node.cache->enabled; }},
    {"for_each", "its items would share the stream",
     [](const Node& node) { return node.for_each.has_value(); }},
    {"when", kTogether, [](const Node& node) { return node.when.has_value(); }},
    {"approval", kTogether, [](const Node& node) { return node.approval.has_value(); }},
    {"domain", kTogether, [](const Node& node) { return !node.domain.empty(); }},
    {"pipeline", "a pipeline has no end for it",
     [](const Node& node) { return !node.pipeline.empty(); }},
});

void check_settings(Checks& checks, const Node& node) {
  for (const auto& [setting, why, is_used] : kConflicts) {
    if (!is_used(node)) continue;
    std::string message = "node '" + node.id.text + "' has a stream and '" + std::string(setting);
    message.append("', which do not go together: ").append(why);
    if (setting == "retry" && checks.definition.defaults.retry) {
      message += " (if it is that of 'defaults', give the node 'retry: {max_attempts: 1}')";
    }
    checks.problem(node.id.position, std::move(message));
  }
}

/// Of one node.
struct StreamCount {
  int read = 0;
  int written = 0;
};

void check_tool(Checks& checks, const Node& node, StreamCount streams) {
  const auto* tool = checks.tools.find(node.plugin_id.text, node.tool_id.text);
  if (tool == nullptr) return;  // reported
  const auto problem = [&](std::string_view what) {
    std::string message = "node '" + node.id.text + "' has ";
    message.append(what).append(" its tool ").append(node.plugin_id.text).append(".");
    checks.problem(node.id.position, message.append(node.tool_id.text));
  };
  switch (tool->spec().streams) {
    case tool::Streams::kNone:
      return problem("a stream, and none can be read or written by");
    case tool::Streams::kOneEach:
      if (streams.read > 1) problem("several streams to read, and one at most is read by");
      if (streams.written > 1) problem("several streams to write, and one at most is written by");
      return;
    case tool::Streams::kAny:
      return;
  }
}

void check_tools_at_ends(Checks& checks) {
  std::map<NodeIndex, StreamCount> counts;
  for (const auto& edge : checks.definition.edges) {
    const bool is_known = checks.is_node(edge.from.text) && checks.is_node(edge.to.text);
    if (!edge.stream || !is_known) continue;
    ++counts[checks.index.at(edge.from.text)].written;
    ++counts[checks.index.at(edge.to.text)].read;
  }
  for (const auto& [node, count] : counts) {
    check_tool(checks, checks.definition.nodes[node], count);
  }
}

/// A guard runs everything again from its retry_node on.
void check_guards(Checks& checks) {
  std::vector<AncestorQuestion> questions;
  std::vector<NodeIndex> guards;
  for (NodeIndex index = 0; index < checks.graph.size(); ++index) {
    const auto& guard = checks.definition.nodes[index].guard_retry;
    const auto retried = guard ? checks.index.find(guard->retry_node) : checks.index.end();
    if (retried == checks.index.end()) continue;
    for (const auto& [leader, members] : checks.graph.groups) {
      for (const auto member : members) {
        guards.push_back(index);
        questions.emplace_back(retried->second, member);
      }
    }
  }
  const auto answers = are_ancestors(checks.graph, questions);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& [retried, streamed] = questions[i];
    if (!answers[i] && retried != streamed) continue;
    const auto& guard = checks.definition.nodes[guards[i]].id;
    checks.problem(guard.position,
                   "'guard_retry' of node '" + guard.text + "' would run node '" +
                       checks.definition.nodes[streamed].id.text +
                       "' again, which has a stream: " + std::string(kNoSecondTime));
    return;  // one is enough: there may be many
  }
}

/// The graph with one node for each group: its leader.
Graph condensed(const Checks& checks) {
  const auto& nodes = checks.definition.nodes;
  Definition small;
  small.nodes.reserve(nodes.size());
  for (const auto& node : nodes) small.nodes.push_back({.id = node.id});
  const auto leader_id = [&](const Located& id) {
    return nodes[checks.graph.leader_of(checks.index.at(id.text))].id;
  };
  for (const auto& edge : checks.definition.edges) {
    if (edge.stream || !checks.is_node(edge.from.text) || !checks.is_node(edge.to.text)) continue;
    small.edges.push_back({leader_id(edge.from), leader_id(edge.to)});
  }
  return Graph(small);
}

/// A node cannot start together with one and after it has ended.
void check_can_start(Checks& checks) {
  for (const auto& cycle : condensed(checks).find_cycles()) {
    const auto group = std::ranges::find_if(
        cycle, [&](NodeIndex node) { return checks.graph.groups.contains(node); });
    if (group == cycle.end()) continue;
    std::string members;
    for (const auto member : checks.graph.groups.at(*group)) {
      members += (members.empty() ? "'" : ", '") + checks.definition.nodes[member].id.text + "'";
    }
    std::string message =
        members + " start together, since streams join them, but one of them waits";
    message += cycle.size() == 1 ? " for another to end" : " for a node after another";
    checks.problem(checks.definition.nodes[*group].id.position, std::move(message));
  }
}

}  // namespace

void check_streams(Checks& checks) {
  if (checks.graph.groups.empty() || checks.graph.has_cycle()) return;
  for (const auto& [leader, members] : checks.graph.groups) {
    for (const auto member : members) {
      check_settings(checks, checks.definition.nodes[member]);
    }
  }
  check_tools_at_ends(checks);
  check_guards(checks);
  check_can_start(checks);
}

}  // namespace weir::pipeline
