#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/table.h"
#include "cli/usage.h"
#include "store/rollup.h"

namespace weir::cli {
namespace {

struct RebuildOptions {
  std::string projection;
  bool list = false;
  bool as_json = false;
};

/// What can be thrown away and made again from the log, and is kept in the store.
struct Projection {
  const char* name;
  const char* what;
};
constexpr Projection kProjections[] = {
    {"rollups", "sums over the events of each minute and hour, for dashboards"},
};

int list_projections(bool as_json) {
  if (as_json) {
    json::Array all;
    for (const auto& projection : kProjections) {
      json::Object one;
      one.set("name", std::string(projection.name));
      one.set("what", std::string(projection.what));
      all.emplace_back(std::move(one));
    }
    std::printf("%s\n", json::to_pretty_text(all).c_str());
    return kDone;
  }
  Table table({"PROJECTION", "WHAT IT IS"});
  for (const auto& projection : kProjections) table.add({projection.name, projection.what});
  table.print(stdout);
  return kDone;
}

void print_json(const store::RollupReport& done) {
  json::Object rollups;
  rollups.set("events", done.events);
  rollups.set("files", done.files);
  rollups.set("kept_events", done.kept_events);
  rollups.set("kept_files", done.kept_files);
  json::Object object;
  object.set("rollups", std::move(rollups));
  std::printf("%s\n", json::to_pretty_text(object).c_str());
}

void print_text(const store::RollupReport& done) {
  std::printf("rollups: made again of %s\n", text::count(done.events, "event").c_str());
  if (done.kept_files > 0) {
    std::printf(
        "rollups: %s of %s stay as they were: the log does not hold all of these any more\n",
        text::count(done.kept_files, "file").c_str(),
        text::count(done.kept_events, "event").c_str());
  }
}

int rebuild(const RebuildOptions& options, const Invocation& invocation) {
  if (options.list) return list_projections(options.as_json);
  if (options.projection.empty()) {
    std::fprintf(stderr, "weir: name what to make again, or `all`; --list shows what there is\n");
    return kWrongUsage;
  }
  const auto store = invocation.open_store();
  if (!store) return complain(store.error());
  const auto done = store::rebuild_rollups(*store);
  if (!done) return complain(done.error());
  options.as_json ? print_json(*done) : print_text(*done);
  complain_of_rollups(*done);
  return done->unread.empty() ? kDone : kStoreFailed;
}

}  // namespace

void add_rebuild(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<RebuildOptions>();
  auto* command =
      app.add_subcommand("rebuild", "Make again from the log what the store keeps beside it");
  expect_word(command->add_option("projection", options->projection, "Which, or `all`"),
              {"rollups", "all"});
  command->add_flag("--list", options->list, "List what can be made again");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return rebuild(*options, invocation); };
  });
}

}  // namespace weir::cli
