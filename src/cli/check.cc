#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "artifact/artifact_store.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/problems.h"
#include "config/load.h"
#include "pipeline/validate.h"
#include "plugins/plugins.h"

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

Result<int> check_config(const std::string& path) {
  WEIR_TRY(const auto text, read_file(path, config::kMaxFileBytes));
  return report(config::parse(text).problems, path, "ok");
}

Result<int> check_pipeline(const std::string& path, const tool::Registry& tools) {
  WEIR_TRY(const auto file, pipeline::load_file(path));
  return report(problems_of(file, tools), path,
                "ok, " + text::count(file.definition.nodes.size(), "node"));
}

int check(const std::vector<std::string>& files) {
  const artifact::ArtifactStore unused("");
  tool::Registry tools;
  plugins::add_all(tools, unused);
  int exit = kDone;
  for (const auto& path : files) {
    const bool is_config = std::filesystem::path(path).filename() == config::kFileName;
    const auto checked = is_config ? check_config(path) : check_pipeline(path, tools);
    if (!checked) complain(checked.error());
    exit = std::max<int>(exit, checked.value_or(kWrongUsage));
  }
  return exit;
}

}  // namespace

std::vector<Problem> problems_of(const pipeline::File& file, const tool::Registry& tools) {
  auto problems = file.problems;
  const auto meaning = pipeline::validate(file.definition, tools);
  problems.insert(problems.end(), meaning.begin(), meaning.end());
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::pair(a.position.line, a.position.column) <
           std::pair(b.position.line, b.position.column);
  });
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

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
  command
      ->add_option("pipeline", *files,
                   "Pipeline files; one of the name weir.yaml is a configuration")
      ->required();
  command->footer("Example: weir check pipeline.yaml");
  command->callback(
      [&invocation, files] { invocation.action = [files] { return check(*files); }; });
}

}  // namespace weir::cli
