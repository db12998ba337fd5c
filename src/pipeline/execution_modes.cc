#include "pipeline/execution_modes.h"

#include "base/text.h"

namespace weir::pipeline {

std::vector<Problem> mode_problems(const Definition& definition, std::string_view mode) {
  const auto& modes = definition.execution_modes;
  if (mode.empty() || modes.empty() || modes.contains(mode)) return {};
  std::vector<std::string> known;
  for (const auto& [name, tools] : modes) known.push_back(name);
  return {{.position = {1, 1},
           .message = "there is no execution mode '" + std::string(mode) + "'" +
                      text::did_you_mean(mode, known) + ": 'execution_modes' has " +
                      text::join(known)}};
}

}  // namespace weir::pipeline
