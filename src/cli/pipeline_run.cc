#include "cli/pipeline_run.h"

#include "base/file.h"
#include "base/text.h"
#include "event/redaction.h"
#include "pipeline/registry.h"

namespace weir::cli {
namespace {

constexpr std::size_t kMaxSecret = std::size_t{64} << 10;

bool is_path(const std::string& named) {
  std::error_code error;
  const auto extension = std::filesystem::path(named).extension();
  return named.contains('/') || extension == ".json" || extension == ".yaml" ||
         extension == ".yml" || std::filesystem::exists(named, error);
}

Result<std::string> read_secret(const std::string& name, const config::Config& config,
                                const config::Environment& environment) {
  const auto source = config.secrets.find(name);
  if (source != config.secrets.end() && !source->second.file.empty()) {
    WEIR_TRY(auto text, read_file(source->second.file, kMaxSecret));
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }
  const bool is_named = source != config.secrets.end();
  const auto variable = is_named ? source->second.env : name;
  const auto value = environment(variable);
  if (value && !value->empty()) return *value;
  // A variable's name that the file gives could be the secret itself.
  return fail(ErrorCode::kNotFound, is_named
                                        ? "the environment variable that 'secrets' names is not set"
                                        : "set the environment variable " + name +
                                              ", or say in 'secrets' of weir.yaml where it is");
}

}  // namespace

Result<FoundPipeline> find_pipeline(const std::string& named, const config::Config& config,
                                    const tool::Registry& tools) {
  if (is_path(named) || config.pipelines.empty()) {
    WEIR_TRY(auto file, pipeline::load_file(named));
    return FoundPipeline{.file = std::move(file), .path = named};
  }
  auto found = find_registered(named, config, tools);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound,
                "there is no file '" + named + "', and " + found.error().message);
  }
  return found;
}

Result<FoundPipeline> find_registered(const std::string& id, const config::Config& config,
                                      const tool::Registry& tools) {
  WEIR_TRY(auto loaded, pipeline::Registry::load(config.pipelines, tools));
  const auto registry = std::make_shared<const pipeline::Registry>(std::move(loaded));
  if (const auto* entry = registry->find(id)) {
    auto found = FoundPipeline{.file = entry->file, .path = entry->path, .registry = registry};
    found.file.problems = entry->problems;
    return found;
  }
  const auto known = registry->ids();
  return fail(ErrorCode::kNotFound, "the registry has no pipeline '" + id + "'" +
                                        text::did_you_mean(id, known) +
                                        ": `weir check` lists those that it has");
}

Result<json::Object> given_params(const pipeline::Params& params,
                                  const std::vector<std::string>& settings) {
  json::Object given;
  for (const auto& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::kInvalidInput,
                  "--set: NAME=VALUE is expected, as in --set day=2024-03-01");
    }
    const auto name = setting.substr(0, equals);
    const auto text = std::string_view(setting).substr(equals + 1);
    const auto param = params.find(name);
    given.set(name, param == params.end() ? json::Value(text)
                                          : pipeline::param_value(param->second, text));
  }
  return given;
}

std::optional<std::string> Secrets::find(const std::string& name) const {
  const auto value = values.find(name);
  if (value == values.end()) return {};
  return value->second;
}

Secrets fetch_secrets(std::span<const pipeline::Definition* const> definitions,
                      const config::Config& config, const config::Environment& environment) {
  Secrets secrets;
  const auto fetch = [&](const pipeline::Reference& reference) {
    if (reference.root != pipeline::Reference::Root::kSecrets) return;
    const auto& name = reference.path.front();
    const auto [place, is_new] = secrets.values.try_emplace(name);
    if (!is_new) return;
    auto value = read_secret(name, config, environment);
    if (value && value->size() < event::Redactor::kMinLiteral) {
      value = fail(ErrorCode::kInvalidInput, "a secret has at least six bytes");
    }
    if (value) {
      place->second = *std::move(value);
    } else {
      secrets.problems.push_back(
          {reference.position, "secret '" + name + "': " + value.error().message});
    }
  };
  for (const auto* definition : definitions) {
    for (const auto& node : definition->nodes) {
      for (const auto& reference : node.references) fetch(reference);
      if (!node.undo) continue;
      for (const auto& reference : node.undo->references) fetch(reference);
    }
  }
  return secrets;
}

}  // namespace weir::cli
