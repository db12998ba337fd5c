#include "cli/tenant.h"

#include <CLI/CLI.hpp>

#include "engine/run_place.h"

namespace weir::cli {

void add_tenant(CLI::App& command, Invocation& invocation) {
  command.add_option("--tenant", invocation.tenant,
                     "Whose data it is: tenant_id of all its events (default: $WEIR_TENANT, else "
                     "`tenant` of weir.yaml)");
}

std::string tenant_of(const Invocation& invocation, const config::Config& settings) {
  if (invocation.tenant.empty() && !engine::tenant_around().empty()) return {};
  return settings.tenant;
}

}  // namespace weir::cli
