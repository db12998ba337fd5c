#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/registry.h"

namespace weir::pipeline {

/// Finds what is wrong with nodes that run pipelines of a registry: that there is none of the id,
/// that `with` is not what its parameters are, that it cannot be run, or that it runs itself. It
/// is to be used while the registry does not change.
class SubPipelineCheck {
 public:
  explicit SubPipelineCheck(const Registry& registry);

  [[nodiscard]] std::vector<Problem> problems_of(const Definition& definition);
  /// The pipelines that runs of the definition may run, those inside them too, each once.
  [[nodiscard]] std::vector<const RegistryEntry*> below(const Definition& definition) const;

 private:
  [[nodiscard]] const RegistryEntry* find(std::string_view id) const;
  [[nodiscard]] std::vector<Problem> problems_of_nodes(const Definition& definition) const;
  [[nodiscard]] const std::string& why_not(const std::string& id);
  [[nodiscard]] std::string look_for_reason(const RegistryEntry& entry);

  std::map<std::string_view, const RegistryEntry*, std::less<>> entries_;
  std::vector<std::string> ids_;
  std::vector<std::string> around_;             // the pipelines that are being looked at
  std::map<std::string, std::string> why_not_;  // why it cannot be run; empty: it can
};

}  // namespace weir::pipeline
