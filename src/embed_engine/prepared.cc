#include "embed_engine/prepared.h"

#include <algorithm>
#include <system_error>

#include "base/text.h"
#include "engine/lost_run.h"
#include "pipeline/sub_pipelines.h"

namespace weir::embed {
namespace {

bool runs_pipelines(const pipeline::Definition& definition) {
  return std::ranges::any_of(definition.nodes,
                             [](const auto& node) { return !node.pipeline.empty(); });
}

}  // namespace

Result<Prepared> prepare_by_id(const EngineState& state, std::string_view id) {
  WEIR_TRY(auto loaded, pipeline::Registry::load(state.options.pipelines, state.tools));
  auto registry = std::make_shared<const pipeline::Registry>(std::move(loaded));
  const auto* entry = registry->find(id);
  if (entry == nullptr) {
    const auto known = registry->ids();
    return fail(ErrorCode::kNotFound, "there is no pipeline '" + std::string(id) + "'" +
                                          text::did_you_mean(std::string(id), known));
  }
  std::error_code error;
  return Prepared{.file = entry->file,
                  .path = std::filesystem::absolute(entry->path, error),
                  .problems = entry->problems,
                  .registry = registry};
}

Result<Prepared> prepare_text(const EngineState& state, std::string_view text) {
  Prepared prepared{.file = pipeline::read_text(pipeline::file_name_of(text), std::string(text))};
  prepared.problems = pipeline::problems_of(prepared.file, state.tools);
  if (!prepared.problems.empty() || !runs_pipelines(prepared.file.definition)) return prepared;
  WEIR_TRY(auto registry, pipeline::Registry::load(state.options.pipelines, state.tools));
  prepared.registry = std::make_shared<const pipeline::Registry>(std::move(registry));
  prepared.problems =
      pipeline::SubPipelineCheck(*prepared.registry).problems_of(prepared.file.definition);
  return prepared;
}

Result<Prepared> prepare_recorded(const EngineState& state, engine::SubPipeline pipeline) {
  Prepared prepared{.file = std::move(pipeline.file), .path = std::move(pipeline.path)};
  prepared.problems = pipeline::problems_of(prepared.file, state.tools);
  if (prepared.problems.empty() && runs_pipelines(prepared.file.definition)) {
    WEIR_TRY(auto registry, pipeline::Registry::load(state.options.pipelines, state.tools));
    prepared.registry = std::make_shared<const pipeline::Registry>(std::move(registry));
    prepared.problems =
        pipeline::SubPipelineCheck(*prepared.registry).problems_of(prepared.file.definition);
  }
  if (prepared.problems.empty()) add_missing_secrets(state, prepared);
  if (!prepared.problems.empty()) return fail(ErrorCode::kInvalidInput, text_of(prepared));
  return prepared;
}

std::optional<std::string> secret_of(const EngineState& state, const std::string& name) {
  for (const auto& [known, value] : state.options.secrets) {
    if (known == name) return value;
  }
  return {};
}

void add_missing_secrets(const EngineState& state, Prepared& prepared) {
  std::vector<const pipeline::Definition*> definitions = {&prepared.file.definition};
  if (prepared.registry != nullptr) {
    const pipeline::SubPipelineCheck check(*prepared.registry);
    for (const auto* entry : check.below(prepared.file.definition)) {
      definitions.push_back(&entry->file.definition);
    }
  }
  const auto look = [&](const std::vector<pipeline::Reference>& references) {
    for (const auto& reference : references) {
      if (reference.root != pipeline::Reference::Root::kSecrets) continue;
      const auto& name = reference.path.front();
      if (secret_of(state, name)) continue;
      prepared.problems.push_back(
          {reference.position, "secret '" + name + "': EngineOptions::secrets has none"});
    }
  };
  for (const auto* definition : definitions) {
    for (const auto& node : definition->nodes) {
      look(node.references);
      if (node.undo) look(node.undo->references);
    }
  }
}

engine::SubPipelines sub_pipelines_of(const EngineState& state, const Prepared& prepared) {
  const auto find =
      [&prepared](const std::string& id) -> Result<std::shared_ptr<const engine::SubPipeline>> {
    const auto* entry = prepared.registry == nullptr ? nullptr : prepared.registry->find(id);
    if (entry == nullptr) return fail(ErrorCode::kNotFound, "there is no such pipeline");
    std::error_code error;
    return std::make_shared<const engine::SubPipeline>(engine::SubPipeline{
        .file = entry->file, .path = std::filesystem::absolute(entry->path, error)});
  };
  const auto take = [&state](const RunId& run, const std::string& tenant_id) {
    return engine::take_lost_run(state.recorder.store(), state.artifacts, run, tenant_id);
  };
  return {.find = find, .take = take};
}

std::string text_of(const Prepared& prepared) {
  std::vector<std::string> lines;
  lines.reserve(prepared.problems.size());
  for (const auto& problem : prepared.problems) {
    lines.push_back(to_string(problem, prepared.path.string()));
  }
  return text::join(lines, "\n");
}

}  // namespace weir::embed
