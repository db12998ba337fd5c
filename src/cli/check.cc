#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/nested_pipelines.h"
#include "cli/problems.h"
#include "cli/settings.h"
#include "cli/tools.h"
#include "config/load.h"
#include "pipeline/registry.h"

namespace weir::cli {
namespace {

int report(const std::vector<Problem>& problems, const std::string& path,
           const std::string& when_right) {
  if (problems.empty()) {
    std::printf("%s: %s\n", path.c_str(), when_right.c_str());
    return kDone;
  }
  std::fprintf(stderr, "%s\n", to_text(problems, path).c_str());
  return kFailed;
}

bool is_config(const std::string& path) {
  return std::filesystem::path(path).filename() == config::kFileName;
}

Result<int> check_config(const std::string& path) {
  WEIR_TRY(const auto text, read_file(path, config::kMaxFileBytes));
  return report(config::parse(text).problems, path, "ok");
}

Result<int> check_pipeline(const std::string& path, const config::Config& config,
                           const tool::Registry& tools) {
  WEIR_TRY(const auto file, pipeline::load_file(path));
  auto problems = pipeline::problems_of(file, tools);
  WEIR_TRY(const auto nested, nested_problems(file.definition, config, tools));
  problems.insert(problems.end(), nested.begin(), nested.end());
  pipeline::sort_problems(problems);
  return report(problems, path, "ok, " + text::count(file.definition.nodes.size(), "node"));
}

Result<int> check_registry(const Invocation& invocation, const tool::Registry& tools) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  if (settings->pipelines.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "nothing to check: name a file, or the registry's folders as 'pipelines' in " +
                    std::string(config::kFileName));
  }
  WEIR_TRY(const auto registry, pipeline::Registry::load(settings->pipelines, tools));
  int exit = kDone;
  for (const auto& [path, file, problems] : registry.entries()) {
    const auto& definition = file.definition;
    exit = std::max(exit, report(problems, path.string(),
                                 "ok, '" + definition.id + "', " +
                                     text::count(definition.nodes.size(), "node")));
  }
  if (registry.entries().empty()) std::printf("there are no pipelines in the registry\n");
  return exit;
}

int check(const Invocation& invocation, const std::vector<std::string>& files) {
  const artifact::ArtifactStore unused("");
  tool::Registry tools;
  const bool is_config_alone = !files.empty() && std::ranges::all_of(files, is_config);
  config::Config config;
  if (!is_config_alone) {
    auto settings = load_settings(invocation);
    if (!settings || !add_tools(*settings, unused, tools)) return kWrongUsage;
    config = *std::move(settings);
  }
  int exit = kDone;
  if (files.empty()) {
    const auto checked = check_registry(invocation, tools);
    if (!checked) complain(checked.error());
    return checked.value_or(kWrongUsage);
  }
  for (const auto& path : files) {
    const auto checked = is_config(path) ? check_config(path) : check_pipeline(path, config, tools);
    if (!checked) complain(checked.error());
    exit = std::max<int>(exit, checked.value_or(kWrongUsage));
  }
  return exit;
}

}  // namespace

std::string to_text(const std::vector<Problem>& problems, std::string_view file) {
  constexpr std::size_t kMaxListed = 1000;  // nobody reads more
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kMaxListed); ++i) {
    if (i > 0) text += '\n';
    text += to_string(problems[i], file);
  }
  if (problems.size() > kMaxListed) {
    text.append("\n").append(file).append(": and ");
    text += std::to_string(problems.size() - kMaxListed) + " more";
  }
  return text;
}

void add_check(CLI::App& app, Invocation& invocation) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto* command = app.add_subcommand(
      "check", "Check pipeline files, and weir.yaml, and say everything that is wrong");
  command->add_option("pipeline", *files,
                      "Pipeline files; one of the name weir.yaml is a configuration (default: the "
                      "registry's files)");
  command->footer("Example: weir check pipeline.yaml");
  command->callback([&invocation, files] {
    invocation.action = [&invocation, files] { return check(invocation, *files); };
  });
}

}  // namespace weir::cli
