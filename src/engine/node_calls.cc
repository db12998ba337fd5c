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

pipeline::Scope NodeCalls::scope_of(const json::Object& payload) const {
  return {.params = &request_.params,
          .input = &payload,
          .node_output =
              [this](std::string_view id) {
                const auto found = index_.find(id);
                return found == index_.end() ? nullptr : outputs_[found->second].get();
              },
          .secret = request_.secret};
}

std::expected<bool, tool::Failure> NodeCalls::is_wanted(const pipeline::Node& node,
                                                        const json::Object& payload) const {
  if (!node.when) return true;
  auto wanted = node.when->evaluate(scope_of(payload));
  if (wanted) return *wanted;
  return std::unexpected(
      tool::Failure{.type = std::string(kInvalidCondition),
                    .message = "'when' of node '" + node.id.text + "': " + wanted.error().message,
                    .exit_code = {},
                    .usage = {},
                    .retryable = false});
}

std::expected<tool::Output, tool::Failure> NodeCalls::call(const pipeline::Node& node,
                                                           const json::Object& payload,
                                                           const std::stop_token& stop,
                                                           NodeEvents& events) const {
  auto* tool = tools_.find(node.plugin_id.text, node.tool_id.text);
  WEIR_CHECK(tool != nullptr);  // validated
  std::expected<json::Object, tool::Failure> resolved;
  if (node.has_references) {
    resolved = with_of(node, tool->spec(), payload);
    if (!resolved) return std::unexpected(std::move(resolved).error());
  }
  const auto run_id = run_.id().text();
  const auto key = run_id + "/" + node.id.text;
  const auto context = std::make_shared<const record::TraceContext>(
      context_of_node(place_, events.span(), node.id.text));
  const tool::Call call{.run_id = run_id,
                        .node_id = node.id.text,
                        .payload = payload,
                        .with = node.has_references ? *resolved : node.with,
                        .folder = request_.folder,
                        .stop = stop,
                        .log = [&](const tool::LogLine& line) { events.log(line); },
                        .kept = [&](const tool::KeptArtifact& artifact) { events.kept(artifact); },
                        .environment = [&] { return environment_of(node, *context); },
                        .idempotency_key = key};
  const record::ContextScope scope(context);
  return tool::run_caught(*tool, call);
}

std::expected<json::Object, tool::Failure> NodeCalls::with_of(const pipeline::Node& node,
                                                              const tool::ToolSpec& spec,
                                                              const json::Object& payload) const {
  auto with = pipeline::resolve(json::Value(node.with), scope_of(payload));
  auto settings = with ? pipeline::settings_for(spec, std::move(*with->object()))
                       : std::unexpected(with.error());
  if (settings) return *std::move(settings);
  return std::unexpected(
      tool::Failure{.type = "UnresolvedReference",
                    .message = "'with' of node '" + node.id.text + "': " + settings.error().message,
                    .exit_code = {},
                    .usage = {}});
}

tool::Environment NodeCalls::environment_of(const pipeline::Node& node,
                                            const record::TraceContext& context) const {
  const auto variables = record::to_environment(context);
  tool::Environment environment(variables.begin(), variables.end());
  environment.emplace_back("WEIR_NODE_ID", node.id.text);
  environment.emplace_back("WEIR_IDEMPOTENCY_KEY", run_.id().text() + "/" + node.id.text);
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
