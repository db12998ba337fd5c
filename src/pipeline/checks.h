#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipeline/definition.h"
#include "pipeline/graph.h"
#include "tool/tool.h"

/// The parts of `validate`. Internal to pipeline.
namespace weir::pipeline {

/// What a definition is checked against, and where it is complained of.
struct Checks {
  Checks(const Definition& checked, const tool::Registry& registry);

  const Definition& definition;
  const tool::Registry& tools;
  const Graph graph;
  std::unordered_map<std::string_view, NodeIndex> index;  ///< of ids; of a second one, the first's
  std::vector<std::string> ids;                           ///< sorted
  std::vector<Problem> problems;

  std::string_view code;  ///< of the problems that come: see rules.h
  void problem(json::Position at, std::string message);
  [[nodiscard]] bool is_node(std::string_view id) const { return index.contains(id); }
  /// ", did you mean 'x'?"; no more than anybody reads, since comparing with every id takes long.
  [[nodiscard]] std::string suggest_node(std::string_view id);

 private:
  int suggestions_ = 0;
};

/// Ids, edges, cycles, what cannot be reached, entries, outputs.
void check_graph(Checks& checks);
/// Plugins, tools, their settings, undo, execution modes.
void check_tools(Checks& checks);
/// Types along the edges.
void check_types(Checks& checks);
/// That references name what there is, where it is.
void check_references(Checks& checks);
/// What may stand at the ends of streams, and that those can start together.
void check_streams(Checks& checks);
/// What control settings mean for one another.
void check_control(Checks& checks);
/// That there is what the pipeline requires.
void check_capabilities(Checks& checks);

}  // namespace weir::pipeline
