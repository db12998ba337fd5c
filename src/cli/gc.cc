#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/keeping.h"
#include "cli/retention_rules.h"
#include "cli/settings.h"
#include "store/collection.h"

namespace weir::cli {
namespace {

struct GcOptions {
  bool dry_run = false;
  bool as_json = false;
};

std::string_view word_of(store::RetentionClass kind) {
  static constexpr std::array<std::string_view, 3> kWords = {"operations", "audit", "metrics"};
  return kWords.at(static_cast<std::size_t>(kind));
}

std::string_view word_of(store::Spared spared) {
  static constexpr std::array<std::string_view, 6> kWords = {"",
                                                             "held",
                                                             "running",
                                                             "not wholly compacted",
                                                             "in a damaged part",
                                                             "with reviews of what stays"};
  return kWords.at(static_cast<std::size_t>(spared));
}

void print_run(const store::StoredRun& run, std::string_view what) {
  std::printf("  %s  %s  %s  %s%s%s\n", run.run.text().c_str(), to_string(run.last_event).c_str(),
              std::string(word_of(run.kind)).c_str(), text::printable(run.pipeline).c_str(),
              what.empty() ? "" : ": ", std::string(what).c_str());
}

void print_text(const store::CollectionReport& done, const GcOptions& options) {
  std::printf("%s %s: %s, %s of Parquet\n", text::count(done.runs.size(), "run").c_str(),
              options.dry_run ? "would be deleted" : "deleted",
              text::count(done.events, "event").c_str(), text::count(done.bytes, "byte").c_str());
  if (options.dry_run) {
    for (const auto& run : done.runs) print_run(run, "");
  }
  if (done.removed_parts + done.rewritten_parts > 0) {
    std::printf("%s removed, %s rewritten\n", text::count(done.removed_parts, "part").c_str(),
                text::count(done.rewritten_parts, "part").c_str());
  }
  if (done.artifacts > 0) {
    std::printf("%s of %s removed\n", text::count(done.artifacts, "artifact").c_str(),
                text::count(done.artifact_bytes, "byte").c_str());
  }
  if (!done.spared.empty()) {
    std::printf("%s over the age, but kept:\n", text::count(done.spared.size(), "run").c_str());
    for (const auto& run : done.spared) print_run(run, word_of(run.spared));
  }
  std::printf("%s kept\n", text::count(done.kept_runs, "run").c_str());
}

json::Array json_of(const std::vector<store::StoredRun>& runs) {
  json::Array array;
  array.reserve(runs.size());
  for (const auto& run : runs) {
    json::Object one;
    one.set("run_id", run.run.text());
    one.set("tenant_id", run.tenant ? json::Value(*run.tenant) : json::Value(nullptr));
    one.set("pipeline_id", run.pipeline);
    one.set("class", word_of(run.kind));
    one.set("last_event", to_string(run.last_event));
    one.set("events", run.events);
    one.set("bytes", run.bytes);
    if (run.spared != store::Spared::kNo) one.set("kept_because", word_of(run.spared));
    array.emplace_back(std::move(one));
  }
  return array;
}

void print_json(const store::CollectionReport& done, const GcOptions& options) {
  json::Object object;
  object.set("dry_run", options.dry_run);
  object.set("deleted", json_of(done.runs));
  object.set("over_age_but_kept", json_of(done.spared));
  object.set("kept_runs", done.kept_runs);
  object.set("events", done.events);
  object.set("bytes", done.bytes);
  object.set("removed_parts", done.removed_parts);
  object.set("rewritten_parts", done.rewritten_parts);
  object.set("artifacts", done.artifacts);
  object.set("artifact_bytes", done.artifact_bytes);
  json::Array left;
  for (const auto& part : done.left) {
    json::Object one;
    one.set("part", part.file);
    one.set("reason", part.reason);
    left.emplace_back(std::move(one));
  }
  object.set("left", std::move(left));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

int gc(const GcOptions& options, const Invocation& invocation) {
  const auto settings = load_settings(invocation);
  if (!settings) return kWrongUsage;
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto [compacted, done] = compact_and_collect(
      *store, {.rules = retention_rules(*settings), .dry_run = options.dry_run});
  if (!compacted) {
    std::fprintf(stderr, "weir: the log was not compacted: %s\n",
                 compacted.error().message.c_str());
  }
  if (!done) return complain(done.error());
  options.as_json ? print_json(*done, options) : print_text(*done, options);
  warn_of_left_parts(*store, done->left);
  return done->left.empty() ? kDone : kStoreFailed;
}

}  // namespace

void add_gc(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<GcOptions>();
  auto* command = app.add_subcommand(
      "gc", "Delete runs that are over their age or size, with what only they have named");
  command->add_flag("--dry-run", options->dry_run, "Only say which");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->footer(
      "How long runs are kept: `retention` in weir.yaml. weir hold keeps one for ever.");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return gc(*options, invocation); };
  });
}

}  // namespace weir::cli
