#include "engine/node_calls.h"

#include "engine/failures.h"
#include "pipeline/settings.h"
#include "record/context_carrier.h"

namespace weir::engine {

NodeCalls::NodeCalls(const RunRequest& request, const tool::Registry& tools, const record::Run& run,
                     const RunPlace& place, const pipeline::Graph& graph,
                     const std::vector<OutputPointer>& outputs)
    : request_(request), tools_(tools), run_(run), place_(place), graph_(graph), outputs_(outputs) {
  for (pipeline::NodeIndex node = 0; node < graph_.size(); ++node) {
    index_.emplace(request.definition.nodes[node].id.text, node);
  }
}

pipeline::Scope NodeCalls::scope_of(const json::Object& payload, const json::Value* item) const {
  return {.params = &request_.params,
          .input = &payload,
          .item = item,
          .node_output =
              [this](std::string_view id) {
                const auto found = index_.find(id);
                return found == index_.end() ? nullptr : outputs_[found->second].get();
              },
          .secret = request_.secret};
}

std::expected<NodeCalls::Plan, tool::Failure> NodeCalls::plan(pipeline::NodeIndex index) const {
  const auto& node = request_.definition.nodes[index];
  Plan plan;
  if (!node.when && !node.for_each) return plan;
  const auto payload = input_of(index);
  const auto refuse = [&](std::string_view key, const std::string& why) {
    return std::unexpected(tool::Failure{
        .type = std::string(kInvalidPlan),
        .message = "'" + std::string(key) + "' of node '" + node.id.text + "': " + why,
        .exit_code = {},
        .usage = {},
        .retryable = false});
  };
  if (node.when) {
    const auto wanted = node.when->evaluate(scope_of(payload));
    if (!wanted) return refuse("when", wanted.error().message);
    plan.is_wanted = *wanted;
  }
  if (!plan.is_wanted || !node.for_each) return plan;
  auto list = pipeline::look_up(*node.for_each, scope_of(payload));
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

std::expected<tool::Output, tool::Failure> NodeCalls::call(const Step& step,
                                                           const std::stop_token& stop,
                                                           NodeEvents& events,
                                                           const StreamEnds& streams) const {
  const auto& node = step.node;
  auto* tool = tools_.find(node.plugin_id.text, node.tool_id.text);
  WEIR_CHECK(tool != nullptr);  // validated
  auto payload = input_of(step.node_index);
  if (step.item != nullptr) payload.set("item", *step.item);
  std::expected<json::Object, tool::Failure> resolved;
  if (node.has_references) {
    resolved = with_of(step, tool->spec(), payload);
    if (!resolved) return std::unexpected(std::move(resolved).error());
  }
  const auto run_id = run_.id().text();
  const auto key = run_id + "/" + step.id;
  const auto context =
      std::make_shared<const record::TraceContext>(context_of_node(place_, events.span(), step.id));
  const tool::Call call{.run_id = run_id,
                        .node_id = step.id,
                        .payload = payload,
                        .with = node.has_references ? *resolved : node.with,
                        .folder = request_.folder,
                        .stop = stop,
                        .log = [&](const tool::LogLine& line) { events.log(line); },
                        .kept = [&](const tool::KeptArtifact& artifact) { events.kept(artifact); },
                        .environment = [&] { return environment_of(step, *context); },
                        .idempotency_key = key,
                        .streams_in = streams.in,
                        .streams_out = streams.out,
                        .stream_event = [&](const auto& event) { events.stream(event); }};
  const record::ContextScope scope(context);
  return tool::run_caught(*tool, call);
}

std::expected<json::Object, tool::Failure> NodeCalls::with_of(const Step& step,
                                                              const tool::ToolSpec& spec,
                                                              const json::Object& payload) const {
  auto with = pipeline::resolve(json::Value(step.node.with), scope_of(payload, step.item));
  auto settings = with ? pipeline::settings_for(spec, std::move(*with->object()))
                       : std::unexpected(with.error());
  if (settings) return *std::move(settings);
  return std::unexpected(
      tool::Failure{.type = "UnresolvedReference",
                    .message = "'with' of node '" + step.id + "': " + settings.error().message,
                    .exit_code = {},
                    .usage = {}});
}

tool::Environment NodeCalls::environment_of(const Step& step,
                                            const record::TraceContext& context) const {
  const auto variables = record::to_environment(context);
  tool::Environment environment(variables.begin(), variables.end());
  environment.emplace_back("WEIR_NODE_ID", step.id);
  environment.emplace_back("WEIR_IDEMPOTENCY_KEY", run_.id().text() + "/" + step.id);
  environment.emplace_back("WEIR_STORE", place_.store.string());
  return environment;
}

json::Object NodeCalls::input_of(pipeline::NodeIndex node) const {
  std::vector<OutputPointer> outputs;
  outputs.reserve(graph_.predecessors[node].size());
  for (const auto predecessor : graph_.predecessors[node]) outputs.push_back(outputs_[predecessor]);
  return merge(request_.payload, outputs);
}

}  // namespace weir::engine
