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
#include "engine/registry_events.h"
#include "pipeline/registry.h"
#include "pipeline/rules.h"

namespace weir::cli {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  bool strict = false;
  bool json = false;
};

/// What is found in one file.
struct FileFinding {
  std::string path;
  std::vector<Problem> errors;
  std::vector<Problem> warnings{};
  std::string when_right = "ok";

  [[nodiscard]] std::string_view status() const {
    if (!errors.empty()) return "ERRORS";
    return warnings.empty() ? "VALID" : "WARNINGS";
  }
};

void print_finding(const FileFinding& finding) {
  auto warnings = finding.warnings;
  for (auto& warning : warnings) warning.message.insert(0, "warning: ");
  auto all = finding.errors;
  all.insert(all.end(), warnings.begin(), warnings.end());
  if (!all.empty()) std::fprintf(stderr, "%s\n", to_text(all, finding.path).c_str());
  if (!finding.errors.empty()) return;
  const auto count =
      warnings.empty() ? std::string() : ", " + text::count(warnings.size(), "warning");
  std::printf("%s: %s%s\n", finding.path.c_str(), finding.when_right.c_str(), count.c_str());
}

void add_findings(const std::vector<Problem>& problems, std::string_view severity,
                  json::Array& findings) {
  for (const auto& problem : problems) {
    json::Object one;
    one.set("severity", severity);
    one.set("code", problem.code.empty() ? "FORM" : problem.code);
    one.set("line", static_cast<std::int64_t>(problem.position.line));
    one.set("column", static_cast<std::int64_t>(problem.position.column));
    one.set("message", problem.message);
    const auto* rule = pipeline::find_rule(problem.code);
    one.set("fix", rule == nullptr ? json::Value() : json::Value(rule->fix));
    one.set("doc_url", rule == nullptr ? pipeline::kFormPage : rule->page);
    findings.emplace_back(std::move(one));
  }
}

json::Object finding_json(const FileFinding& finding) {
  json::Object object;
  object.set("file", finding.path);
  object.set("status", finding.status());
  json::Array findings;
  add_findings(finding.errors, "error", findings);
  add_findings(finding.warnings, "warning", findings);
  object.set("findings", std::move(findings));
  return object;
}

int report(const std::vector<FileFinding>& findings, const CheckOptions& options) {
  int exit = kDone;
  json::Array files;
  for (const auto& finding : findings) {
    const bool fails = !finding.errors.empty() || (options.strict && !finding.warnings.empty());
    if (fails) exit = kFailed;
    if (options.json) {
      files.emplace_back(finding_json(finding));
    } else {
      print_finding(finding);
    }
  }
  if (options.json) std::printf("%s\n", json::to_pretty_text(files).c_str());
  return exit;
}

bool is_config(const std::string& path) {
  return std::filesystem::path(path).filename() == config::kFileName;
}

Result<FileFinding> check_config(const std::string& path) {
  WEIR_TRY(const auto text, read_file(path, config::kMaxFileBytes));
  return FileFinding{.path = path, .errors = config::parse(text).problems};
}

/// Of a file that a process of this store has seen before.
void add_changed(const std::optional<engine::SeenPipelines>& seen, const pipeline::File& file,
                 const std::filesystem::path& path, std::vector<Problem>& warnings) {
  if (!seen) return;  // there is no store yet
  if (auto changed = seen->changed_without_version(file, path)) {
    warnings.insert(warnings.begin(), *std::move(changed));
  }
}

Result<FileFinding> check_pipeline(const std::string& path, const config::Config& config,
                                   const tool::Registry& tools,
                                   const std::optional<engine::SeenPipelines>& seen) {
  WEIR_TRY(const auto file, pipeline::load_file(path));
  auto problems = pipeline::problems_of(file, tools);
  WEIR_TRY(const auto nested, nested_problems(file.definition, config, tools));
  problems.insert(problems.end(), nested.begin(), nested.end());
  pipeline::sort_problems(problems);
  // Of what is wrong it is not known yet what may not be meant.
  auto warnings = problems.empty() ? pipeline::warnings_of(file, tools) : std::vector<Problem>();
  add_changed(seen, file, path, warnings);
  return FileFinding{.path = path,
                     .errors = std::move(problems),
                     .warnings = std::move(warnings),
                     .when_right = "ok, " + text::count(file.definition.nodes.size(), "node")};
}

Result<std::vector<FileFinding>> check_registry(const config::Config& settings,
                                                const tool::Registry& tools,
                                                const std::optional<engine::SeenPipelines>& seen) {
  if (settings.pipelines.empty()) {
    return fail(ErrorCode::kInvalidInput,
                "nothing to check: name a file, or the registry's folders as 'pipelines' in " +
                    std::string(config::kFileName));
  }
  WEIR_TRY(const auto registry, pipeline::Registry::load(settings.pipelines, tools));
  std::vector<FileFinding> findings;
  findings.reserve(registry.entries().size());
  for (const auto& [path, file, problems] : registry.entries()) {
    const auto& definition = file.definition;
    findings.push_back(
        {.path = path.string(),
         .errors = problems,
         .warnings = problems.empty() ? pipeline::warnings_of(file, tools) : std::vector<Problem>(),
         .when_right =
             "ok, '" + definition.id + "', " + text::count(definition.nodes.size(), "node")});
    add_changed(seen, file, path, findings.back().warnings);
  }
  return findings;
}

int check(const Invocation& invocation, const CheckOptions& options) {
  const auto& files = options.files;
  const artifact::ArtifactStore unused("");
  tool::Registry tools;
  const bool is_config_alone = !files.empty() && std::ranges::all_of(files, is_config);
  config::Config config;
  if (!is_config_alone) {
    auto settings = load_settings(invocation);
    if (!settings || !add_tools(*settings, unused, tools)) return kWrongUsage;
    config = *std::move(settings);
  }
  const auto store = invocation.open_store();
  const auto seen = store ? std::optional(engine::SeenPipelines::of(*store)) : std::nullopt;
  if (files.empty()) {
    const auto checked = check_registry(config, tools, seen);
    if (!checked) {
      complain(checked.error());
      return kWrongUsage;
    }
    if (checked->empty() && !options.json) std::printf("there are no pipelines in the registry\n");
    return report(*checked, options);
  }
  std::vector<FileFinding> findings;
  findings.reserve(files.size());
  int exit = kDone;
  for (const auto& path : files) {
    auto checked = is_config(path) ? check_config(path) : check_pipeline(path, config, tools, seen);
    if (checked) {
      findings.push_back(*std::move(checked));
      continue;
    }
    complain(checked.error());
    exit = kWrongUsage;
  }
  return std::max(exit, report(findings, options));
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
  auto options = std::make_shared<CheckOptions>();
  auto* command = app.add_subcommand(
      "check", "Check pipeline files, and weir.yaml, and say everything that is wrong");
  command->add_option("pipeline", options->files,
                      "Pipeline files; one of the name weir.yaml is a configuration (default: the "
                      "registry's files)");
  command->add_flag("--strict", options->strict, "A warning fails, too");
  command->add_flag("--json", options->json,
                    "Print JSON: of each file VALID, WARNINGS or ERRORS, and each finding with its "
                    "code and how to mend it");
  command->footer("Example: weir check pipeline.yaml");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return check(invocation, *options); };
  });
}

}  // namespace weir::cli
