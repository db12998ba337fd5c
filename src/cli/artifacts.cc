#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/run_list.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "report/figures.h"
#include "report/format.h"
#include "report/report_json.h"

namespace weir::cli {
namespace {

struct ArtifactsOptions {
  std::string artifact;
  NamedRun run;
  std::size_t limit = 50;
  bool json = false;
};

void print_versions(const std::vector<ArtifactVersion>& versions, std::size_t limit) {
  Table table(
      {"ARTIFACT", "VERSION", "SHA-256", "SIZE", "WRITTEN (UTC)", "BY", "REVIEW", "COMMENT"});
  table.align(3, Table::Align::kRight);
  for (const auto& version : versions) {
    if (limit > 0 && table.size() == limit) break;
    auto by = version.pipeline_id;
    if (!version.node_id.empty()) by += "/" + version.node_id;
    if (!version.agent_id.empty()) by = version.agent_id;
    auto review = version.review;
    if (!version.reviewed_by.empty()) review += " by " + version.reviewed_by;
    table.add({version.path, "v" + std::to_string(version.version), version.sha256.substr(0, 12),
               version.bytes < 0 ? "" : report::bytes_text(static_cast<double>(version.bytes)),
               to_string(version.written_at).substr(0, 19), by, review,
               version.comments.empty() ? "" : version.comments.back()});
  }
  table.print(stdout);
  if (table.size() < versions.size()) {
    std::printf("… and %zu older: --limit 0 shows all\n", versions.size() - table.size());
  }
}

using Versions = std::vector<ArtifactVersion>;

/// Of a path, or of all that have such a hash.
Result<Versions> versions_of(const report::Source& source, const ArtifactsOptions& options) {
  ArtifactScope scope;
  auto tenant = options.run.tenant;
  if (!options.run.name.empty()) {
    WEIR_TRY(const auto run, find_run(source.store, options.run));
    scope.run_id = run.state.run_id.text();
    tenant = run.tenant_id;
  }
  const auto versions_in = [&](const ArtifactScope& asked) -> Result<Versions> {
    WEIR_TRY(auto versions, report::artifact_history(source, asked));
    if (tenant) std::erase_if(versions, [&](const auto& it) { return it.tenant_id != *tenant; });
    if (!versions.empty() || options.artifact.empty()) return versions;
    return fail(ErrorCode::kNotFound, "this tenant has no artifact '" + options.artifact + "'");
  };
  scope.path = options.artifact;
  auto versions = versions_in(scope);
  if (!versions && versions.error().code == ErrorCode::kNotFound) {
    scope.sha256 = std::exchange(scope.path, {});
    versions = versions_in(scope);
  }
  return versions;
}

int artifacts(const ArtifactsOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const report::Source source{.store = *store, .bad = std::make_shared<store::BadPlaces>()};
  auto versions = versions_of(source, options);
  if (!versions) {
    if (versions.error().code != ErrorCode::kNotFound) return complain_of_name(versions.error());
    return complain(
        {ErrorCode::kInvalidInput, versions.error().message + "; `weir artifacts` lists them"});
  }
  warn_of_damage(source.bad->all());
  if (options.json) {
    json::Array all;
    for (const auto& version : *versions) {
      if (options.limit > 0 && all.size() == options.limit) break;
      all.emplace_back(report::to_json(version));
    }
    std::printf("%s\n", json::to_pretty_text(all).c_str());
  } else {
    print_versions(*versions, options.limit);
  }
  return kDone;
}

}  // namespace

void add_artifacts(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<ArtifactsOptions>();
  auto* command =
      app.add_subcommand("artifacts", "List what nodes kept, version by version, and its review");
  command->add_option("artifact", options->artifact,
                      "Only this one: its path, or the beginning of a SHA-256");
  command->add_option(
      "--run", options->run.name,
      "Only versions that this run wrote first: last, its id, or a beginning or end "
      "of it");
  add_whose(*command, "artifacts", options->run.tenant);
  expect_number(command->add_option("--limit", options->limit,
                                    "How many at the most: 0 for all, 50 if absent"),
                0, 100'000);
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: weir artifacts totals.parquet");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return artifacts(*options, invocation); };
  });
}

}  // namespace weir::cli
