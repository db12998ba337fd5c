#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "engine/call_chain.h"
#include "engine/child_runs.h"
#include "engine/engine.h"
#include "engine/node_context.h"
#include "engine/node_events.h"
#include "engine/run_place.h"
#include "engine/streams.h"
#include "engine/tool_gate.h"
#include "pipeline/graph.h"
#include "pipeline/reference.h"
#include "pipeline/scheduler.h"

namespace weir::engine {

/// What runs: a node, or one of the items of a `for_each` node.
struct Step {
  pipeline::StepIndex index;
  pipeline::NodeIndex node_index;
  const pipeline::Node& node;
  std::string id;                     ///< "ID", or "ID[3]" of an item
  const json::Object& params;         ///< the run's, as they are when the step begins
  const json::Value* item = nullptr;  ///< the node's items outlive the step
  /// What it takes back is this output of the step of that id; null: it does something.
  const json::Object* undoes = nullptr;
};
/// A longer list is an error.
inline constexpr std::size_t kMaxItems = 100'000;

/// What the nodes of a run are given, and the call of their tools.
///
/// Threads  Any. Outputs are read without a lock: those of a node's ancestors were written before
/// it
///          became ready, and stay.
class NodeCalls {
 public:
  /// All of them outlive it. `outputs` are those of each node; `timers` are used by calls only.
  NodeCalls(const RunRequest& request, const tool::Registry& tools, const record::Run& run,
            const RunPlace& place, const pipeline::Graph& graph,
            const std::vector<OutputPointer>& outputs, Timers& timers, ChildRuns& children);

  [[nodiscard]] json::Object input_of(pipeline::NodeIndex node) const;
  /// What a node is to do, once what it needs has ended.
  struct Plan {
    bool is_wanted = true;  ///< what its `when` says
    /// Of a `for_each` node: it is run once for each.
    std::shared_ptr<const json::Array> items{};
  };
  /// Depends on recorded things alone. Errors: a failure of the node.
  [[nodiscard]] std::expected<Plan, tool::Failure> plan(const Step& step) const;
  /// Why the node cannot be run by this tool.
  [[nodiscard]] std::optional<std::string> refusal_of_tool(const pipeline::Node& node,
                                                           std::string_view plugin_id,
                                                           std::string_view tool_id) const;
  /// Whether the node's tool says that its effects are wanted once.
  [[nodiscard]] bool has_effects_once(const pipeline::Node& node) const;
  /// What its tool, or the pipeline that it runs, gets.
  struct Given {
    json::Object payload;
    std::optional<json::Object> resolved;  ///< its settings, if they have references
    [[nodiscard]] const json::Object& with(const Step& step) const {
      return resolved ? *resolved : step.node.with;
    }
  };
  [[nodiscard]] std::expected<Given, tool::Failure> given(const Step& step) const;
  [[nodiscard]] tool::Tool& tool_of(const Step& step) const;
  /// `number` is the attempt's; `context` is that of the calling worker.
  [[nodiscard]] CallOutcome call(const Step& step, int number, std::stop_token stop,
                                 NodeEvents& events, const StreamEnds& streams,
                                 NodeContext& context) const;

 private:
  [[nodiscard]] pipeline::Scope scope_of(const Step& step, const json::Object& payload) const;
  /// What the tool gets: `with`, its references resolved. `spec` is its; a pipeline has none.
  [[nodiscard]] std::expected<json::Object, tool::Failure> with_of(
      const Step& step, const tool::ToolSpec* spec, const json::Object& payload) const;
  /// Whether each call of its tool has events of its own; what takes something back has others.
  [[nodiscard]] bool is_told(const Step& step) const;
  [[nodiscard]] CallOutcome called(const Step& step, int number, NodeEvents& events,
                                   tool::Call& call) const;
  [[nodiscard]] CallOutcome run_pipeline(Attempt& attempt) const;
  /// With the events of a call.
  [[nodiscard]] CallOutcome run_told(Attempt& attempt, tool::Tool& tool) const;
  [[nodiscard]] tool::Environment environment_of(const Step& step,
                                                 const NodeContext& context) const;

  const RunRequest& request_;
  const tool::Registry& tools_;
  const record::Run& run_;
  const RunPlace& place_;
  const pipeline::Graph& graph_;
  const std::vector<OutputPointer>& outputs_;
  const ToolGate gate_;
  const CallChain chain_;
  ChildRuns& children_;
};

}  // namespace weir::engine
