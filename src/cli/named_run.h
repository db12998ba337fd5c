#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

/// Which run a command is about, as a person says it.
namespace weir::cli {

/// A run by its name, among a tenant's runs if one is named.
struct NamedRun {
  std::string name;                     ///< `last`, an id, or a beginning or end of one
  std::optional<std::string> tenant{};  ///< empty: nobody's; nothing: anybody's
};

/// The argument `run`, which must be there, and --tenant.
void add_named_run(CLI::App& command, NamedRun& run);
/// --tenant alone: only that tenant's `what` are meant.
void add_whose(CLI::App& command, const std::string& what, std::optional<std::string>& tenant);

/// "several tenants have WHAT: acme, '': --tenant says whose is meant". Of kConflict: see
/// complain_of_name.
[[nodiscard]] std::unexpected<Error> of_several(const std::string& what,
                                                std::vector<std::string> tenants);

/// As complain: but a name that means several things is wrong usage.
int complain_of_name(const Error& error);

}  // namespace weir::cli
