#include "cli/nested_pipelines.h"

#include <algorithm>

#include "config/load.h"
#include "engine/lost_run.h"

namespace weir::cli {
namespace {

Problem no_registry(const pipeline::Definition& definition) {
  const auto node =
      std::ranges::find_if(definition.nodes, [](const auto& one) { return !one.pipeline.empty(); });
  return {node->id.position,
          "node '" + node->id.text + "': there is no registry in which '" + node->pipeline +
              "' could be: name its folders as 'pipelines' in " + std::string(config::kFileName)};
}

/// Absolute: relative paths in it are relative to its folder.
std::filesystem::path absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  auto result = std::filesystem::absolute(path, error);
  return error ? path : result;
}

}  // namespace

bool runs_pipelines(const pipeline::Definition& definition) {
  return std::ranges::any_of(definition.nodes,
                             [](const auto& node) { return !node.pipeline.empty(); });
}

Result<NestedPipelines> NestedPipelines::of(const pipeline::Definition& definition,
                                            const config::Config& config,
                                            const tool::Registry& tools) {
  NestedPipelines nested;
  if (!runs_pipelines(definition)) return nested;
  if (config.pipelines.empty()) {
    nested.problems_ = {no_registry(definition)};
    return nested;
  }
  WEIR_TRY(const auto registry, pipeline::Registry::load(config.pipelines, tools));
  pipeline::SubPipelineCheck check(registry);
  nested.problems_ = check.problems_of(definition);
  for (const auto* entry : check.below(definition)) {
    const auto path = absolute_path(entry->path);
    nested.all_.push_back(std::make_shared<const engine::SubPipeline>(
        engine::SubPipeline{.file = entry->file, .path = path}));
  }
  return nested;
}

engine::SubPipelines NestedPipelines::for_engine(const log::StoreDirectory& store,
                                                 const artifact::ArtifactStore& artifacts) const {
  const auto find =
      [this](const std::string& id) -> Result<std::shared_ptr<const engine::SubPipeline>> {
    for (const auto& one : all_) {
      if (one->file.definition.id == id) return one;
    }
    return fail(ErrorCode::kNotFound, "there is no such pipeline");
  };
  const auto take = [&store, &artifacts](const RunId& run, const std::string& tenant_id) {
    return engine::take_lost_run(store, artifacts, run, tenant_id);
  };
  return {.find = find, .take = take};
}

Result<std::vector<Problem>> nested_problems(const pipeline::Definition& definition,
                                             const config::Config& config,
                                             const tool::Registry& tools) {
  if (!runs_pipelines(definition) || config.pipelines.empty()) return {};
  WEIR_TRY(const auto registry, pipeline::Registry::load(config.pipelines, tools));
  return pipeline::SubPipelineCheck(registry).problems_of(definition);
}

}  // namespace weir::cli
