#include "cli/named_run.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.h"
#include "cli/command.h"

namespace weir::cli {

void add_named_run(CLI::App& command, NamedRun& run) {
  command.add_option("run", run.name, "The run: last, its id, or a beginning or end of it")
      ->required();
  add_whose(command, "runs", run.tenant);
}

void add_whose(CLI::App& command, const std::string& what, std::optional<std::string>& tenant) {
  // A function, since CLI11 takes an empty text for none.
  command.add_option_function<std::string>(
      "--tenant", [&tenant](const std::string& name) { tenant = name; },
      "Only this tenant's " + what + "; '': nobody's");
}

std::unexpected<Error> of_several(const std::string& what, std::vector<std::string> tenants) {
  std::ranges::sort(tenants);
  for (auto& tenant : tenants) {
    if (tenant.empty()) tenant = "''";
  }
  return fail(ErrorCode::kConflict, "several tenants have " + what + ": " + text::join(tenants) +
                                        "; --tenant says whose is meant");
}

int complain_of_name(const Error& error) {
  const int exit = complain(error);
  return error.code == ErrorCode::kConflict ? kWrongUsage : exit;
}

}  // namespace weir::cli
