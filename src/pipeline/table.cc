#include "pipeline/table.h"

#include "pipeline/shapes.h"

namespace weir::pipeline {
namespace {

using config::choice;
using config::key;
using config::Key;
using config::KeyOptions;
using config::Names;
using config::object;
using config::optional;
using config::Shape;

using W = Written;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(std::string_view name) {
  const auto allowed = [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

Names names_of(const std::string& what) {
  return {.what = what + ": letters, digits and '_', and no digit first",
          .pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
          .accepts = is_name};
}

/// A member of the definition.
template <class M, class Value>
Key<W> defined(const std::string& name, Value Definition::* member, const Shape<M>& shape,
               const std::string& doc, const KeyOptions& options = {}) {
  const auto of = [member](auto& written) -> auto& { return written.definition.*member; };
  return key<W>(name, of, shape, doc, options);
}

Shape<WideEvents> wide_events_shape() {
  return switchable(
      object<WideEvents>("which", {key<WideEvents>("nodes", &WideEvents::nodes, config::boolean(),
                                                   "one `node_wide` a node, when it ends"),
                                   key<WideEvents>("run", &WideEvents::run, config::boolean(),
                                                   "one `pipeline_wide`, after the run's end")}),
      WideEvents{.nodes = true, .run = true}, WideEvents());
}

Shape<Edge> edge_shape() {
  return object<Edge>("an edge", {key<Edge>("from_node", &Edge::from, located("a node's id"),
                                            "the node before", {.required = true}),
                                  key<Edge>("to_node", &Edge::to, located("a node's id"),
                                            "the node after it", {.required = true}),
                                  key<Edge>("stream", &Edge::stream, rare(stream_shape()),
                                            "the two run at the same time, and what the first "
                                            "writes the second reads: see above")});
}

Shape<Param> param_shape() {
  const auto check = [](const Param& param, const json::Value& value, config::Problems& problems) {
    if (!param.fallback) return;
    const auto at = config::position_of(value, "default");
    if (param.required) problems.add(at, "a parameter that each run must give has no default");
    if (!is_of_type(*param.fallback, param.type)) {
      problems.add(at, "'default' is " + std::string(param.fallback->kind()) +
                           ", the parameter's type is " + std::string(to_string(param.type)));
    }
  };
  return object<Param>(
      "a parameter",
      {key<Param>("type", &Param::type,
                  choice<ParamType>({{"string", ParamType::kString},
                                     {"integer", ParamType::kInteger},
                                     {"number", ParamType::kNumber},
                                     {"boolean", ParamType::kBoolean},
                                     {"object", ParamType::kObject},
                                     {"list", ParamType::kList}}),
                  "what its values are"),
       key<Param>("default", &Param::fallback, optional(any_value()),
                  "what it is in runs that do not give it", {.fallback = "null"}),
       key<Param>("required", &Param::required, config::boolean(), "each run must give it"),
       key<Param>("description", &Param::description, plain_text(), "for people")},
      {.check = check});
}

std::vector<Key<W>> keys_of_the_whole() {
  constexpr int kMaxLimit = 100'000;
  return {
      defined("id", &Definition::id, word("a pipeline's id"), "its name for programs",
              {.required = true}),
      defined("name", &Definition::name, plain_text(), "its name for people",
              {.fallback = "the id"}),
      defined("version", &Definition::version, plain_text(), "in every event of its runs"),
      key<W>("description", &W::description, plain_text(), "for people"),
      defined(
          "type", &Definition::type,
          choice<PipelineType>({{"dag", PipelineType::kDag}, {"linear", PipelineType::kLinear}}),
          "`dag` is nodes and edges, `linear` tools of one plugin, one after the other"),
      defined("params", &Definition::params,
              config::map("parameters", param_shape(), names_of("a parameter's name")),
              "What each run may choose with `weir run --set NAME=VALUE`: `${params.NAME}`."),
      defined("on_failure", &Definition::on_failure,
              choice<FailureMode>({{"fail_fast", FailureMode::kFailFast},
                                   {"continue", FailureMode::kContinue},
                                   {"best_effort", FailureMode::kBestEffort}}),
              "what a failed node means: `fail_fast` ends the run; `continue` skips its "
              "descendants, and the run fails at its end; `best_effort` runs them without its "
              "output"),
      defined("on_log_failure", &Definition::on_log_failure,
              optional(choice<OnLogFailure>(
                  {{"stop", OnLogFailure::kStop}, {"continue", OnLogFailure::kContinue}})),
              "what a run does when it cannot be recorded any more",
              {.fallback = "as `weir.yaml`"}),
      defined("timeout", &Definition::timeout, optional(timeout_shape()), "of the whole run",
              {.fallback = "none"}),
      defined("seed", &Definition::seed,
              optional(config::whole_number(0, std::numeric_limits<std::int64_t>::max())),
              "of what is random in its runs, such as jitter", {.fallback = "of each run its own"}),
      defined("wide_events", &Definition::wide_events, wide_events_shape(),
              "Events that say all that is known of a node, or of the run; `true` is both."),
      defined("tool_events", &Definition::tool_events, config::boolean(),
              "Of each call of a tool `tool_invoked`, `tool_started`, and `tool_completed` or "
              "`tool_failed`, beside the events of its node."),
      defined("defaults", &Definition::defaults, defaults_shape(),
              "What holds for nodes that do not say themselves."),
      defined("execution_modes", &Definition::execution_modes,
              config::map("modes", placed(execution_mode_shape()), names_of("a mode's name")),
              "Ways to run it in which some tools are not called."),
      defined("domains", &Definition::domains,
              config::map("limits", count(1, kMaxLimit), names_of("a domain's name")),
              "how many nodes of each domain run at a time"),
      defined(
          "expect", &Definition::expect, optional(expectation_shape()),
          "When runs are due: `weir` starts none; the recipe `stuck-runs` says what is missing."),
      defined("requires_capabilities", &Definition::requires_capabilities,
              located_list("capabilities"),
              "what the engine or one of its tools must be able to do: see above"),
      defined("fallback", &Definition::fallback,
              choice<Fallback>({{"reject", Fallback::kReject},
                                {"emulate", Fallback::kEmulate},
                                {"degrade", Fallback::kDegrade}}),
              "what is done when one of `requires_capabilities` is not there: `reject` runs "
              "nothing; `emulate` runs it, as what stands in is enough; `degrade` runs it without, "
              "and each run says so"),
  };
}

}  // namespace

const Shape<Written>& pipeline_shape() {
  static const Shape<Written> shape = [] {
    auto keys = keys_of_the_whole();
    keys.push_back(key<W>("plugin_id", &W::plugin_id, located("a plugin's id"), "whose tools",
                          {.required = true, .only_for = {"linear"}}));
    keys.push_back(key<W>(
        "tools", &W::tools,
        config::list("tools", linear_tool_shape(), {.max_items = kMaxNodes, .min_items = 1}),
        "one after the other: a tool's id, or an object with `tool_id` and the keys of a node but "
        "plugin, pipeline and `needs`; a node is called after its tool unless it has an `id`",
        {.required = true, .only_for = {"linear"}}));
    keys.push_back(key<W>("nodes", &W::nodes,
                          config::list("nodes", node_shape(), {.max_items = kMaxNodes}),
                          "The steps.", {.only_for = {"dag"}}));
    keys.push_back(defined("edges", &Definition::edges,
                           config::list("edges", edge_shape(), {.max_items = kMaxEdges}),
                           "Which node comes before which.", {.only_for = {"dag"}}));
    keys.push_back(defined("entry_nodes", &Definition::entry_nodes, located_list("node ids"),
                           "where it begins",
                           {.fallback = "the nodes before which there is none"}));
    keys.push_back(defined("output_nodes", &Definition::output_nodes, located_list("node ids"),
                           "whose outputs are the result; if they are given, they are all the "
                           "nodes after which there is none, and perhaps others",
                           {.fallback = "the nodes after which there is none"}));
    return object<W>("a pipeline", keys, {.tag = "type"});
  }();
  return shape;
}

}  // namespace weir::pipeline
