#include "event/schema.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>

#include "cli/command.h"
#include "cli/usage.h"
#include "config/schema.h"
#include "pipeline/schema.h"

namespace weir::cli {
namespace {

struct Described {
  json::Value (*json_schema)();
  std::string (*reference_page)();
};
const std::map<std::string, Described> kSchemas = {
    {"events", {event::json_schema, event::reference_page}},
    {"pipeline", {pipeline::json_schema, pipeline::reference_page}},
    {"config", {config::json_schema, config::reference_page}},
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
                               "Of what is recorded, of pipeline files, or of weir.yaml")
                  ->required(),
              {"events", "pipeline", "config"});
  expect_word(command->add_option("--format", options->format,
                                  "json is JSON Schema draft-07 (default: json)"),
              {"json", "markdown"});
  command->footer("Example: weir schema events");
  command->callback([&invocation, options] {
    invocation.action = [options] {
      const auto& what = kSchemas.at(options->what);
      const auto text = options->format == "json" ? json::to_pretty_text(what.json_schema()) + "\n"
                                                  : what.reference_page();
      std::fputs(text.c_str(), stdout);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace weir::cli
