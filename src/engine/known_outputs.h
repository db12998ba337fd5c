#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/cache_key.h"
#include "engine/earlier_outputs.h"
#include "engine/engine.h"
#include "engine/node_calls.h"
#include "engine/node_events.h"
#include "engine/output_cache.h"

namespace weir::engine {

/// Outputs that are known without a call of the tool: those of the run that this one repeats, then
/// those of the cache. Records what it finds, and why it finds nothing where a cache is wanted.
///
/// Threads  Any.
/// Failure  What cannot be read is not known; what cannot be kept will not be. Both are said.
class KnownOutputs {
 public:
  /// All of them outlive it.
  KnownOutputs(const RunRequest& request, const artifact::ArtifactStore& artifacts,
               const record::Run& run, const RunPlace& place, const pipeline::Graph& graph,
               const NodeCalls& calls);

  struct Answer {
    OutputPointer output{};           ///< null: the tool is to be called
    std::optional<KeyParts> parts{};  ///< of a call whose output is to be kept
  };
  /// When an attempt has begun. Only the first one is answered: a later one is wanted because the
  /// output is not.
  [[nodiscard]] Answer ask(const Step& step, int attempt, NodeEvents& events);
  /// The same was asked in a process that is gone.
  void asked_before(const Step& step, int attempt);
  /// The output of the call that `answer` led to.
  void keep(const Step& step, const Answer& answer, std::string_view output, NodeEvents& events);

 private:
  [[nodiscard]] OutputPointer ask_earlier_run(const Step& step, NodeEvents& events);
  [[nodiscard]] Answer ask_cache(const Step& step, int attempt, NodeEvents& events);
  [[nodiscard]] std::optional<KeyParts> parts_of(const Step& step) const;
  [[nodiscard]] KeyParts::Hashes hashes_of_files(const Step& step) const;
  [[nodiscard]] CachedNode name_of(const Step& step) const;
  struct Hit {
    CacheEntry entry;
    OutputPointer output;
    std::size_t size_bytes = 0;
  };
  /// Or why there is none.
  [[nodiscard]] std::expected<Hit, std::string> look_up(const Step& step,
                                                        const KeyParts& parts) const;
  [[nodiscard]] std::expected<Hit, std::string> find(const Step& step, const KeyParts& parts) const;
  [[nodiscard]] std::expected<Hit, std::string> load(const CacheEntry& entry) const;

  const RunRequest& request_;
  const artifact::ArtifactStore& artifacts_;
  const record::Run& run_;
  const RunPlace& place_;
  const NodeCalls& calls_;
  EarlierOutputs earlier_;
  Result<OutputCache> cache_;  // an error when no node wants one
};

}  // namespace weir::engine
