#include <span>

#include "base/text.h"
#include "pipeline/ancestry.h"
#include "pipeline/checks.h"

namespace weir::pipeline {
namespace {

using Root = Reference::Root;

/// Where a reference stands says what it may name.
enum class Site : std::uint8_t { kWith, kUndo, kWhen, kForEach };

class ReferenceCheck {
 public:
  explicit ReferenceCheck(Checks& checks) : checks_(checks) {
    for (const auto& [name, param] : checks.definition.params) params_.push_back(name);
  }

  void run() {
    for (NodeIndex node = 0; node < checks_.graph.size(); ++node) {
      const auto& one = checks_.definition.nodes[node];
      check(node, one.references, Site::kWith);
      if (one.undo) check(node, one.undo->references, Site::kUndo);
      if (one.when) check(node, one.when->references(), Site::kWhen);
      if (one.for_each) check(node, {&*one.for_each, 1}, Site::kForEach);
    }
    check_ancestors();
  }

 private:
  void problem(const Reference& reference, const std::string& why) {
    checks_.problem(reference.position, to_string(reference) + ": " + why);
  }

  void check(NodeIndex node, std::span<const Reference> references, Site site) {
    for (const auto& reference : references) check(node, reference, site);
  }

  void check(NodeIndex node, const Reference& reference, Site site) {
    switch (reference.root) {
      case Root::kParams:
        return check_param(reference);
      case Root::kNodes:
        return check_node(node, reference, site);
      case Root::kSecrets:
        if (site == Site::kWhen || site == Site::kForEach) {
          problem(reference, "secrets are for 'with' alone");
        }
        return;
      case Root::kItem:
        if (site == Site::kForEach || !checks_.definition.nodes[node].for_each) {
          problem(reference, "there is an item in a node with 'for_each' alone");
        }
        return;
      case Root::kInput:
        return;
    }
  }

  void check_param(const Reference& reference) {
    const auto& name = reference.path.front();
    if (checks_.definition.params.contains(name)) return;
    problem(reference, "the pipeline has no parameter '" + name + "'" +
                           text::did_you_mean(name, params_) +
                           " (known: " + (params_.empty() ? "none" : text::join(params_)) + ")");
  }

  void check_node(NodeIndex node, const Reference& reference, Site site) {
    const auto& id = reference.path.front();
    const auto found = checks_.index.find(id);
    if (found == checks_.index.end()) {
      return problem(reference, "there is no node '" + id + "'" + checks_.suggest_node(id));
    }
    if (found->second == node) {
      if (site != Site::kUndo) problem(reference, "a node cannot name its own output");
      return;
    }
    questions_.emplace_back(found->second, node);
    asked_.push_back(&reference);
  }

  void check_ancestors() {
    if (checks_.graph.has_cycle()) return;  // reported; what is before what, nobody knows
    // Who writes a stream need not have ended when its reader's successors begin.
    const auto& definition = checks_.definition;
    const auto answers =
        checks_.graph.groups.empty()
            ? are_ancestors(checks_.graph, questions_)
            : are_ancestors(Graph(definition, Graph::Edges::kWithoutStreams), questions_);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i]) continue;
      const auto& [ancestor, node] = questions_[i];
      const auto& nodes = checks_.definition.nodes;
      problem(*asked_[i], "node '" + nodes[ancestor].id.text + "' does not come before '" +
                              nodes[node].id.text + "': add it to 'needs', or an edge");
    }
  }

  Checks& checks_;
  std::vector<std::string> params_;
  std::vector<AncestorQuestion> questions_;
  std::vector<const Reference*> asked_;  // of each question
};

}  // namespace

void check_references(Checks& checks) { ReferenceCheck(checks).run(); }

}  // namespace weir::pipeline
