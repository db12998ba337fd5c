#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "artifact/artifact_store.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "log/store_directory.h"
#include "pipeline/registry.h"
#include "record/recorder.h"

/// What a process says, in a run of its own, of the pipelines of its registry.
namespace weir::engine {

/// Records `pipeline_validated` of each file that is new or has changed since a process of this
/// store saw it last, and keeps its text as an artifact: what is wrong with it, and when its runs
/// are expected. What was seen is remembered in the store's cache (docs/formats/registry-cache.md);
/// without it all is said once more. Errors: those of the log and of the artifact store.
[[nodiscard]] Result<void> record_registry(const pipeline::Registry& registry,
                                           const tool::Registry& tools, record::Recorder& recorder,
                                           const artifact::ArtifactStore& artifacts,
                                           std::string_view tenant_id);

/// What `record_registry` has seen in a store.
class SeenPipelines {
 public:
  [[nodiscard]] static SeenPipelines of(const log::StoreDirectory& store);

  /// That the file, which keeps versions, has another text than was seen, and the same version.
  /// Nothing, if not, or if it was never seen.
  [[nodiscard]] std::optional<Problem> changed_without_version(
      const pipeline::File& file, const std::filesystem::path& path) const;

 private:
  explicit SeenPipelines(json::Object seen) : seen_(std::move(seen)) {}
  json::Object seen_;
};

/// Records `pipeline_fetched`: that the run was given this file's definition by the registry, and
/// whether a process had seen it before. Before `record_registry`. Errors: as there.
[[nodiscard]] Result<void> record_fetched(const pipeline::RegistryEntry& entry, const RunId& run,
                                          record::Recorder& recorder, std::string_view tenant_id);

}  // namespace weir::engine
