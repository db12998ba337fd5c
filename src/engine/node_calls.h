#pragma once

#include <expected>
#include <stop_token>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "engine/node_events.h"
#include "engine/run_place.h"
#include "pipeline/graph.h"
#include "pipeline/reference.h"

namespace weir::engine {

/// What the nodes of a run are given, and the call of their tools.
///
/// Threads  Any. Outputs are read without a lock: those of a node's ancestors were written before
/// it
///          became ready, and stay.
class NodeCalls {
 public:
  /// All of them outlive it. `outputs` are those of each node.
  NodeCalls(const RunRequest& request, const tool::Registry& tools, const record::Run& run,
            const RunPlace& place, const pipeline::Graph& graph,
            const std::vector<OutputPointer>& outputs);

  [[nodiscard]] std::optional<pipeline::NodeIndex> find(std::string_view node_id) const {
    const auto found = index_.find(node_id);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] json::Object input_of(pipeline::NodeIndex node) const;
  /// What its `when` says.
  [[nodiscard]] std::expected<bool, tool::Failure> is_wanted(const pipeline::Node& node,
                                                             const json::Object& payload) const;
  [[nodiscard]] std::expected<tool::Output, tool::Failure> call(const pipeline::Node& node,
                                                                const json::Object& payload,
                                                                const std::stop_token& stop,
                                                                NodeEvents& events) const;

 private:
  [[nodiscard]] pipeline::Scope scope_of(const json::Object& payload) const;
  /// What the tool gets: `with`, its references resolved.
  [[nodiscard]] std::expected<json::Object, tool::Failure> with_of(
      const pipeline::Node& node, const tool::ToolSpec& spec, const json::Object& payload) const;
  [[nodiscard]] tool::Environment environment_of(const pipeline::Node& node,
                                                 const record::TraceContext& context) const;

  const RunRequest& request_;
  const tool::Registry& tools_;
  const record::Run& run_;
  const RunPlace& place_;
  const pipeline::Graph& graph_;
  const std::vector<OutputPointer>& outputs_;
  std::unordered_map<std::string_view, pipeline::NodeIndex> index_;  // of ids, for references
};

}  // namespace weir::engine
