#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/priority.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/named_run.h"
#include "cli/run_list.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "report/plan.h"

namespace weir::cli {
namespace {

struct RunsOptions {
  bool json = false;
  std::size_t limit = 20;
  std::optional<std::string> tenant;
};

/// Of the nodes of its definition: one with items is completed when all of them are.
std::int64_t completed_nodes(const project::RunState& run) {
  std::map<std::string_view, bool> is_completed;
  for (const auto& node : run.nodes) {
    auto& all = is_completed.try_emplace(report::node_of_item(node.node_id), true).first->second;
    all = all && node.state == project::State::kCompleted;
  }
  return std::ranges::count_if(is_completed, [](const auto& node) { return node.second; });
}

json::Value to_json(const ListedRun& listed) {
  const auto& run = listed.state;
  json::Object object;
  object.set("run_id", run.run_id.text());
  object.set("tenant_id", listed.tenant_id.empty() ? json::Value() : json::Value(listed.tenant_id));
  object.set("pipeline_id", run.pipeline_id);
  object.set("pipeline_version", run.pipeline_version);
  object.set("state", listed.word);
  object.set("started_at", to_string(run.started_at));
  object.set("duration_ms", run.duration_ms ? json::Value(*run.duration_ms) : json::Value());
  object.set("node_count", run.node_count);
  object.set("completed_nodes", completed_nodes(run));
  object.set("failed_node_id",
             run.failed_node_id.empty() ? json::Value() : json::Value(run.failed_node_id));
  object.set("error_type", run.error_type.empty() ? json::Value() : json::Value(run.error_type));
  object.set("error_message",
             run.error_message.empty() ? json::Value() : json::Value(run.error_message));
  return object;
}

int print_runs(const RunsOptions& options, const Invocation& invocation) {
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  set_thread_priority(Priority::kAsking);
  compact_when_due(*store);
  const auto newest = newest_runs(*store, options.limit, options.tenant);
  if (!newest) return complain(newest.error());
  const auto& [runs, total] = *newest;
  if (options.json) {
    json::Array array;
    for (const auto& run : runs) array.push_back(to_json(run));
    std::printf("%s\n", json::to_pretty_text(array).c_str());
    return kDone;
  }
  Table table({"RUN", "PIPELINE", "STATE", "STARTED (UTC)", "TOOK", "NODES", "FAILED AT"});
  table.align(4, Table::Align::kRight);
  table.align(5, Table::Align::kRight);
  for (const auto& [run, word, tenant] : runs) {
    table.add({run.run_id.text(), run.pipeline_id, word, to_string(run.started_at).substr(0, 19),
               run.duration_ms ? text::duration(*run.duration_ms) : "",
               std::to_string(completed_nodes(run)) + "/" + std::to_string(run.node_count),
               run.failed_node_id});
  }
  table.print(stdout);
  // Of some the events may be unreadable.
  if (options.limit > 0 && total > options.limit)
    std::printf("… and %zu older: --limit 0 shows all\n", total - options.limit);
  return kDone;
}

}  // namespace

void add_runs(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RunsOptions>();
  auto* command = app.add_subcommand("runs", "List the runs, the newest first");
  command->add_flag("--json", options->json, "Print JSON");
  constexpr std::int64_t kMost = 1'000'000'000;
  expect_number(command->add_option("--limit", options->limit,
                                    "How many at the most: 0 for all, 20 if absent"),
                0, kMost);
  add_whose(*command, "runs", options->tenant);
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return print_runs(*options, invocation); };
  });
}

}  // namespace weir::cli
