#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

/// Commands whose store is a server's.
namespace weir::cli {

/// Has the server at `invocation.server` run the command with these words, its name first, and
/// prints what it prints: its exit code. $WEIR_KEY is the key. Ends by Ctrl-C.
int run_at_server(const Invocation& invocation, const std::vector<std::string>& words);

}  // namespace weir::cli
