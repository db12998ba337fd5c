#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "project/run_state.h"

/// A run's state in words and marks, for people.
namespace weir::cli {

/// The random part of an id, which names a run on the command line.
[[nodiscard]] std::string_view short_id(std::string_view run_id);

[[nodiscard]] Colour colour_of(project::State state);
[[nodiscard]] std::string_view mark_of(project::State state);

/// Why the state may not be what happened, a line each: "INCONSISTENT: …", "STALE: …".
[[nodiscard]] std::vector<std::string> doubts_of(const project::RunState& run);

/// What a run without an end waits for, a line each: people, signals, other tries.
[[nodiscard]] std::vector<std::string> waits_of(const project::RunState& run);

}  // namespace weir::cli
