#include "event/schema.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/usage.h"
#include "config/schema.h"

namespace weir::cli {

void add_schema(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string what;
    std::string format = "json";
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("schema", "Print the schema of what Weir reads and writes");
  expect_word(command->add_option("schema", options->what, "Of what is recorded, or of weir.yaml")
                  ->required(),
              {"events", "config"});
  expect_word(command->add_option("--format", options->format,
                                  "json is JSON Schema draft-07 (default: json)"),
              {"json", "markdown"});
  command->footer("Example: weir schema events");
  command->callback([&invocation, options] {
    invocation.action = [options] {
      const bool is_json = options->format == "json";
      const bool is_config = options->what == "config";
      std::string text;
      if (is_json) {
        const auto schema = is_config ? config::json_schema() : event::json_schema();
        text = json::to_pretty_text(schema) + "\n";
      } else {
        text = is_config ? config::reference_page() : event::reference_page();
      }
      std::fputs(text.c_str(), stdout);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace weir::cli
