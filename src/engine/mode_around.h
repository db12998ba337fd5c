#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "pipeline/policy.h"

namespace weir::engine {

/// The execution mode of a run around: what it does not allow is not called in the runs inside
/// either, whatever their own modes say.
struct ModeAround {
  std::string name;
  pipeline::ExecutionMode rules;
};

/// As `pipeline_started` has them: a list of {name, allow, deny}.
[[nodiscard]] json::Array to_json(std::span<const ModeAround> modes);
/// Read again. What is of another type is left out.
[[nodiscard]] std::vector<ModeAround> read_modes(const json::Value& value);

}  // namespace weir::engine
