#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "artifact/artifact_store.h"
#include "config/config.h"
#include "engine/sub_pipelines.h"
#include "log/store_directory.h"
#include "pipeline/sub_pipelines.h"

namespace weir::cli {

/// The pipelines of the registry that the nodes of one pipeline run, as they are when this is made:
/// a file that changes later does not change a run.
class NestedPipelines {
 public:
  /// Reads the registry only if a node runs a pipeline. Errors: those of pipeline::Registry::load.
  [[nodiscard]] static Result<NestedPipelines> of(const pipeline::Definition& definition,
                                                  const config::Config& config,
                                                  const tool::Registry& tools);

  /// Why the definition cannot be run, as far as it lies in them.
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  /// Those inside them, too.
  [[nodiscard]] const std::vector<std::shared_ptr<const engine::SubPipeline>>& all() const {
    return all_;
  }
  /// For a run with nodes of theirs. What it is given outlives the result.
  [[nodiscard]] engine::SubPipelines for_engine(const log::StoreDirectory& store,
                                                const artifact::ArtifactStore& artifacts) const;

 private:
  std::vector<Problem> problems_;
  std::vector<std::shared_ptr<const engine::SubPipeline>> all_;
};

/// Whether a node of it runs a pipeline.
[[nodiscard]] bool runs_pipelines(const pipeline::Definition& definition);

/// A definition's problems with the pipelines that its nodes run, of the registry that is
/// configured; none is known when there is none.
[[nodiscard]] Result<std::vector<Problem>> nested_problems(const pipeline::Definition& definition,
                                                           const config::Config& config,
                                                           const tool::Registry& tools);

}  // namespace weir::cli
