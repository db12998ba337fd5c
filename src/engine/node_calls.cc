#include "engine/node_calls.h"

#include "engine/failures.h"
#include "pipeline/settings.h"
#include "record/context_carrier.h"

namespace weir::engine {

NodeCalls::NodeCalls(const RunRequest& request, const tool::Registry& tools, const record::Run& run,
                     const RunPlace& place, const pipeline::Graph& graph,
                     const std::vector<OutputPointer>& outputs, Timers& timers, ChildRuns& children)
    : request_(request),
      tools_(tools),
      run_(run),
      place_(place),
      graph_(graph),
      outputs_(outputs),
      gate_(request.definition, place),
      chain_(request, timers),
      children_(children) {}

/// `step` outlives the scope.
pipeline::Scope NodeCalls::scope_of(const Step& step, const json::Object& payload) const {
  return {.params = &step.params,
          .input = &payload,
          .item = step.item,
          .node_output =
              [this, &step](std::string_view id) {
                if (step.undoes != nullptr && id == step.node.id.text) return step.undoes;
                const auto found = graph_.ids.find(id);
                return found ? outputs_[*found].get() : nullptr;
              },
          .secret = request_.secret};
}

std::expected<NodeCalls::Plan, tool::Failure> NodeCalls::plan(const Step& step) const {
  const auto& node = step.node;
  Plan plan;
  if (!node.when && !node.for_each) return plan;
  const auto payload = input_of(step.node_index);
  const auto refuse = [&](std::string_view key, const std::string& why) {
    return std::unexpected(tool::Failure{
        .type = std::string(kInvalidPlan),
        .message = "'" + std::string(key) + "' of node '" + node.id.text + "': " + why,
        .exit_code = {},
        .usage = {},
        .retryable = false});
  };
  if (node.when) {
    const auto wanted = node.when->evaluate(scope_of(step, payload));
    if (!wanted) return refuse("when", wanted.error().message);
    plan.is_wanted = *wanted;
  }
  if (!plan.is_wanted || !node.for_each) return plan;
  auto list = pipeline::look_up(*node.for_each, scope_of(step, payload));
  if (!list) return refuse("for_each", list.error().message);
  if (list->array() == nullptr) {
    return refuse("for_each", "a list is expected, this is " + std::string(list->kind()));
  }
  if (list->array()->size() > kMaxItems) {
    return refuse("for_each", "the list has " + std::to_string(list->array()->size()) +
                                  " items, the limit is " + std::to_string(kMaxItems));
  }
  plan.items = std::make_shared<const json::Array>(*list->array());
  return plan;
}

std::optional<std::string> NodeCalls::refusal_of_tool(const pipeline::Node& node,
                                                      std::string_view plugin_id,
                                                      std::string_view tool_id) const {
  const auto* tool = tools_.find(plugin_id, tool_id);
  if (tool == nullptr) {
    return "there is no tool '" + std::string(plugin_id) + "." + std::string(tool_id) + "'";
  }
  const auto problems = pipeline::settings_problems(node.with, node.with_position, tool->spec());
  return problems.empty() ? std::nullopt : std::optional(problems.front().message);
}

bool NodeCalls::has_effects_once(const pipeline::Node& node) const {
  const auto* tool = tools_.find(node.plugin_id.text, node.tool_id.text);
  return tool != nullptr && tool->spec().effects == tool::Effects::kOnce;
}

tool::Tool& NodeCalls::tool_of(const Step& step) const {
  auto* tool = tools_.find(step.node.plugin_id.text, step.node.tool_id.text);
  WEIR_CHECK(tool != nullptr);  // validated
  return *tool;
}

std::expected<NodeCalls::Given, tool::Failure> NodeCalls::given(const Step& step) const {
  std::expected<Given, tool::Failure> given;
  given->payload = input_of(step.node_index);
  if (step.item != nullptr) given->payload.set("item", *step.item);
  if (step.undoes != nullptr) given->payload.update(*step.undoes);
  if (!step.node.has_references) return given;
  const auto* spec = step.node.pipeline.empty() ? &tool_of(step).spec() : nullptr;
  auto resolved = with_of(step, spec, given->payload);
  if (!resolved) return std::unexpected(std::move(resolved).error());
  given->resolved = *std::move(resolved);
  return given;
}

CallOutcome NodeCalls::call(const Step& step, int number, std::stop_token stop, NodeEvents& events,
                            const StreamEnds& streams, NodeContext& context) const {
  const bool is_pipeline = !step.node.pipeline.empty();
  const auto given = this->given(step);
  if (is_told(step) && given) events.tool_invoked(given->payload);
  if (!is_pipeline) {
    if (auto denied = gate_.deny(step.node, events)) return std::unexpected(*std::move(denied));
  }
  if (!given) return std::unexpected(given.error());
  context.enter(events.span(), step.id, step.undoes != nullptr);
  const auto environment = [&] { return environment_of(step, context); };
  tool::Call call{.run_id = place_.context.ids.run_id,
                  .node_id = step.id,
                  .payload = given->payload,
                  .with = given->with(step),
                  .folder = request_.folder,
                  .stop = std::move(stop),
                  .log = [&](const tool::LogLine& line) { events.log(line); },
                  .kept = [&](const tool::KeptArtifact& artifact) { events.kept(artifact); },
                  .environment = std::cref(environment),  // a reference: no allocation
                  .idempotency_key = context.idempotency_key(),
                  .provider_call =
                      [&](const tool::ProviderCallReport& report) { events.provider_call(report); },
                  .circuit = [&](const tool::CircuitChange& change) { events.circuit(change); },
                  .streams_in = streams.in,
                  .streams_out = streams.out,
                  .stream_event = [&](const auto& event) { events.stream(event); },
                  .emit = [&](const tool::OwnEvent& event) { return events.own(event); }};
  const record::ContextScope scope(context.shared());
  events.input(given->payload);
  auto outcome = called(step, number, events, call);
  if (outcome) events.output(outcome->payload);
  return outcome;
}

bool NodeCalls::is_told(const Step& step) const {
  return request_.definition.tool_events && step.node.pipeline.empty() && step.undoes == nullptr;
}

CallOutcome NodeCalls::called(const Step& step, int number, NodeEvents& events,
                              tool::Call& call) const {
  const bool is_pipeline = !step.node.pipeline.empty();
  auto* const tool = is_pipeline ? nullptr : &tool_of(step);
  if (tool != nullptr) events.of_plugin_type(tool->spec().plugin_type);
  if (tool != nullptr && chain_.empty() && !is_told(step)) return tool::run_caught(*tool, call);
  Attempt attempt{.pipeline = request_.definition,
                  .node = step.node,
                  .node_id = step.id,
                  .number = number,
                  .request_key = request_.idempotency_key,
                  .clock = run_.clock(),
                  .cancelled = call.stop,
                  .call = call,
                  .events = events};
  if (is_pipeline) return run_pipeline(attempt);
  return is_told(step) ? run_told(attempt, *tool) : chain_.run(attempt, *tool);
}

CallOutcome NodeCalls::run_told(Attempt& attempt, tool::Tool& tool) const {
  const auto start = attempt.clock.monotonic();
  attempt.events.tool_started();
  auto outcome = chain_.run(attempt, tool);
  const auto duration_ms = milliseconds_since(attempt.clock, start);
  if (outcome) {
    attempt.events.tool_completed(duration_ms, *outcome);
  } else {
    attempt.events.tool_failed(duration_ms, outcome.error());
  }
  return outcome;
}

CallOutcome NodeCalls::run_pipeline(Attempt& attempt) const {
  return chain_.run_pipeline(attempt, [&] {
    return children_.run({.node = attempt.node,
                          .node_id = attempt.node_id,
                          .payload = attempt.call.payload,
                          .with = attempt.call.with,
                          .stop = attempt.call.stop},
                         attempt.events);
  });
}

std::expected<json::Object, tool::Failure> NodeCalls::with_of(const Step& step,
                                                              const tool::ToolSpec* spec,
                                                              const json::Object& payload) const {
  auto with = pipeline::resolve(json::Value(step.node.with), scope_of(step, payload));
  if (with && spec == nullptr) return std::move(*with->object());
  auto settings = with ? pipeline::settings_for(*spec, std::move(*with->object()))
                       : std::unexpected(with.error());
  if (settings) return *std::move(settings);
  return std::unexpected(
      tool::Failure{.type = "UnresolvedReference",
                    .message = "'with' of node '" + step.id + "': " + settings.error().message,
                    .exit_code = {},
                    .usage = {}});
}

tool::Environment NodeCalls::environment_of(const Step& step, const NodeContext& context) const {
  const auto variables = record::to_environment(context.get());
  tool::Environment environment(variables.begin(), variables.end());
  environment.emplace_back("WEIR_NODE_ID", step.id);
  environment.emplace_back("WEIR_IDEMPOTENCY_KEY", context.idempotency_key());
  environment.emplace_back("WEIR_STORE", place_.store.string());
  return environment;
}

json::Object NodeCalls::input_of(pipeline::NodeIndex node) const {
  auto merged = request_.payload;
  for (const auto predecessor : graph_.predecessors[node]) update(merged, outputs_[predecessor]);
  return merged;
}

}  // namespace weir::engine
