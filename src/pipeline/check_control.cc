#include "base/text.h"
#include "pipeline/ancestry.h"
#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

void check_domain(Checks& checks, const Node& node) {
  const auto& domains = checks.definition.domains;
  if (node.domain.empty() || domains.contains(node.domain)) return;
  std::vector<std::string> known;
  for (const auto& [name, limit] : domains) known.push_back(name);
  checks.problem(node.id.position, "node '" + node.id.text + "': there is no domain '" +
                                       node.domain + "'" + text::did_you_mean(node.domain, known) +
                                       ": 'domains' has " +
                                       (known.empty() ? "none" : text::join(known)));
}

/// What is not done again cannot be what a node is for.
void check_cache(Checks& checks, const Node& node) {
  if (!node.cache || !node.cache->enabled) return;
  const auto refuse = [&](const std::string& why) {
    checks.problem(node.id.position, "'cache' of node '" + node.id.text + "': " + why);
  };
  if (node.effects_once) refuse("it has 'effects_once', and an output kept has no effects");
  if (node.undo) refuse("it has an 'undo', and there is nothing to undo of an output kept");
  if (!node.pipeline.empty()) refuse("it is a pipeline: give its nodes caches of their own");
  const auto* tool = checks.tools.find(node.plugin_id.text, node.tool_id.text);
  if (tool != nullptr && tool->spec().effects == tool::Effects::kOnce) {
    refuse("the effects of its tool are wanted once, and an output kept has none");
  }
}

/// Why these two cannot go together; empty: they can.
std::string conflict(const Node& guard, const Node& retried) {
  if (guard.for_each) {
    return "it has 'for_each': which of its items failed does not say what to run again";
  }
  if (retried.for_each) {
    return "its retry_node '" + retried.id.text +
           "' has 'for_each': one node is run again, not "
           "many";
  }
  if (retried.cache && retried.cache->enabled) {
    return "its retry_node '" + retried.id.text +
           "' has a 'cache': run again, it would give the "
           "same output";
  }
  return {};
}

/// Asks whether the retried node comes before the guard, if nothing else is wrong.
void check_guard(Checks& checks, NodeIndex index, std::vector<AncestorQuestion>& questions) {
  const auto& node = checks.definition.nodes[index];
  if (!node.guard_retry || node.guard_retry->retry_node.empty()) return;
  const auto& id = node.guard_retry->retry_node;
  const auto problem = [&](const std::string& what) {
    checks.problem(node.id.position, "'guard_retry' of node '" + node.id.text + "': " + what);
  };
  const auto found = checks.index.find(id);
  if (found == checks.index.end()) {
    return problem("there is no node '" + id + "'" + checks.suggest_node(id));
  }
  if (found->second == index) {
    return problem("to try a node itself again is its 'retry'");
  }
  const auto why = conflict(node, checks.definition.nodes[found->second]);
  if (!why.empty()) return problem(why);
  questions.emplace_back(found->second, index);
}

}  // namespace

void check_control(Checks& checks) {
  std::vector<AncestorQuestion> questions;
  for (NodeIndex node = 0; node < checks.graph.size(); ++node) {
    check_domain(checks, checks.definition.nodes[node]);
    check_cache(checks, checks.definition.nodes[node]);
    check_guard(checks, node, questions);
  }
  if (checks.graph.has_cycle()) return;  // reported
  const auto answers = are_ancestors(checks.graph, questions);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i]) continue;
    const auto& guard = checks.definition.nodes[questions[i].second];
    checks.problem(guard.id.position, "'guard_retry' of node '" + guard.id.text +
                                          "': its retry_node '" + guard.guard_retry->retry_node +
                                          "' does not come before it");
  }
}

}  // namespace weir::pipeline
