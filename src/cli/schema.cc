#include "event/schema.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/usage.h"
#include "config/schema.h"
#include "pipeline/schema.h"
#include "pipeline/tool_schema.h"
#include "plugins/plugins.h"

namespace weir::cli {
namespace {

using Tools = tool::Registry;

/// `tools` are those that come with Weir.
struct Described {
  json::Value (*json_schema)(const Tools& tools);
  std::string (*reference_page)(const Tools& tools);
};
const std::map<std::string, Described> kSchemas = {
    {"events",
     {[](const Tools&) { return event::json_schema(); },
      [](const Tools&) { return event::reference_page(); }}},
    {"pipeline", {pipeline::json_schema, [](const Tools&) { return pipeline::reference_page(); }}},
    {"config",
     {[](const Tools&) { return config::json_schema(); },
      [](const Tools&) { return config::reference_page(); }}},
    {"tools", {pipeline::tools_schema, pipeline::tools_page}},
};

}  // namespace

void add_schema(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string what;
    std::string format = "json";
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("schema", "Print the schema of what Weir reads and writes");
  expect_word(command
                  ->add_option("schema", options->what,
                               "Of what is recorded, of pipeline files, of weir.yaml, or of the "
                               "settings of Weir's tools")
                  ->required(),
              {"events", "pipeline", "config", "tools"});
  expect_word(command->add_option("--format", options->format,
                                  "json is JSON Schema draft-07 (default: json)"),
              {"json", "markdown"});
  command->footer("Example: weir schema events");
  command->callback([&invocation, options] {
    invocation.action = [options] {
      const auto& what = kSchemas.at(options->what);
      const artifact::ArtifactStore unused("");
      Tools tools;
      plugins::add_all(tools, unused);
      const auto text = options->format == "json"
                            ? json::to_pretty_text(what.json_schema(tools)) + "\n"
                            : what.reference_page(tools);
      std::fputs(text.c_str(), stdout);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace weir::cli
