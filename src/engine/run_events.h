#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "engine/execution.h"
#include "engine/run_place.h"
#include "pipeline/definition.h"
#include "project/wide_events.h"
#include "record/recorder.h"

namespace weir::engine {

/// Records the beginning and the end of a run. All that it is given outlives it.
class RunEvents {
 public:
  RunEvents(record::Run& run, const pipeline::Definition& definition, const RunPlace& place);

  struct Start {
    Sha256 definition;
    Sha256 input;
    const json::Object& params;
    /// If the event may not hold them as they are.
    std::optional<Sha256> params_sha256;
    const std::filesystem::path& file;
    const std::vector<std::string>& rerun_from;  ///< as Rerun::from
    std::string rerun_of{};                      ///< if that is not the run before it
    int depth;                                   ///< how many runs are around it
  };
  void started(const Start& start);
  /// What the pipeline requires is not there, and it is run.
  void degraded(const std::string& capability, pipeline::Fallback how);
  /// It goes on in this process.
  void taken_up();
  /// And the `pipeline_wide`, if the definition wants one; it takes what `execution` knows for it.
  void ended(Execution& execution, double duration_ms);
  /// Of a run that was never started.
  void refused(std::string_view error_type, std::string_view message, double duration_ms);

 private:
  void completed(const Execution& execution, double duration_ms);
  void failed(Execution& execution, double duration_ms);
  void cancelled(const Execution& execution, double duration_ms);
  void emit_wide(Execution& execution);
  /// With the place in the trace, which comes first in the catalogue.
  void emit(event::Type type, const std::vector<event::FieldValue>& fields);

  record::Run& run_;
  const pipeline::Definition& definition_;
  const RunPlace& place_;
  SpanId::Text span_;
  SpanId::Text parent_span_;
  std::int64_t node_count_;
  std::vector<std::string> output_ids_;
  project::PipelineWide wide_;  // if it is wanted
};

}  // namespace weir::engine
