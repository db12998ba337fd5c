#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/mode_around.h"
#include "engine/recorded_run.h"
#include "record/context.h"
#include "record/loggers.h"
#include "record/process_runs.h"

namespace weir::engine {

class ProviderCallLogger;

/// Where a run stands: in which trace, for whom, in which store, under which loggers.
struct RunPlace {
  /// Inside the run: its trace, its span, what else travels; `ids.run_id` is the run's. Current
  /// while its nodes work, each in a span of its own.
  record::TraceContext context;
  std::string parent_run_id;  ///< the run that this one was started in, if it was
  std::string
      execution_mode;  ///< as whoever started it calls it: `execution_mode` of the extra ids
  std::vector<ModeAround> modes_around{};  ///< of the runs around it, the nearest first
  std::int64_t engine_attempt = 1;  ///< how many processes have had the run, this one included
  std::filesystem::path store;
  const record::Loggers* loggers = nullptr;      ///< say which lines are recorded; null: all
  bool says_io = false;                          ///< whether they want `node_io` events
  record::ProcessRuns* process_runs = nullptr;   ///< for what belongs to no run
  ProviderCallLogger* provider_calls = nullptr;  ///< hears of them too
};

/// As it is when there is no way to tell: without a working directory.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& path);

/// Of a run that begins now. It goes on with the trace and the ids that are current in this thread,
/// otherwise with those that this process has inherited in its environment (context_carrier.h); a
/// trace that is none begins anew. Others learn of the run from the member `weir` of the
/// tracestate.
[[nodiscard]] RunPlace place_of_run(const RunId& run, Timestamp now, std::filesystem::path store);

/// The same of a run that another process has left.
[[nodiscard]] RunPlace place_of_recorded_run(const RecordedRun& run, std::filesystem::path store);

/// Whose DEBUG lines the inputs and outputs of nodes are.
inline constexpr std::string_view kPipelineLogger = "pipeline_dag";
/// Under whose settings it logs.
void set_loggers(RunPlace& place, const record::Loggers* loggers);

/// Names the mode it runs in, for its tools and what they start, too.
void set_execution_mode(RunPlace& place, const std::string& mode);
/// The mode that a run of this thread would have if it were given none.
[[nodiscard]] std::string execution_mode_around();
/// And the tenant.
[[nodiscard]] std::string tenant_around();

/// What the run's events say of it besides its own id and place in the trace.
[[nodiscard]] record::CorrelationIds correlation_of(const RunPlace& place);

/// The context of one of its nodes.
[[nodiscard]] record::TraceContext context_of_node(const RunPlace& place, SpanId span,
                                                   const std::string& node_id);

}  // namespace weir::engine
