#include "event/schema.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/usage.h"

namespace weir::cli {

void add_schema(CLI::App& app, Invocation& invocation) {
  struct Options {
    std::string what;
    std::string format = "json";
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("schema", "Print the schema of what Weir reads and writes");
  expect_word(command->add_option("schema", options->what, "Of what is recorded")->required(),
              {"events"});
  expect_word(command->add_option("--format", options->format,
                                  "json is JSON Schema draft-07 (default: json)"),
              {"json", "markdown"});
  command->footer("Example: weir schema events");
  command->callback([&invocation, options] {
    invocation.action = [options] {
      const auto text = options->format == "json"
                            ? json::to_pretty_text(event::json_schema()) + "\n"
                            : event::reference_page();
      std::fputs(text.c_str(), stdout);
      return static_cast<int>(kDone);
    };
  });
}

}  // namespace weir::cli
