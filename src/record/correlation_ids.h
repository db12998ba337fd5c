#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace weir::record {

/// A step of the workflow that has ended, and the run that did it.
struct PreviousStep {
  std::string step_id;
  std::string run_id;
  std::optional<Timestamp> completed_at;
  bool operator==(const PreviousStep&) const = default;
};

/// What ties an event to its run, its request, its user and its workflow: `CorrelationIds` of
/// stageflow and `runContext` of PaperKit. An empty text is an id that is not known.
struct CorrelationIds {
  /// Of an id that comes from outside. UUIDs have 36.
  static constexpr std::size_t kMaxIdBytes = 256;
  /// Of what comes from outside and has no place of its own.
  static constexpr std::size_t kMaxExtra = 32;
  /// The latest are kept.
  static constexpr std::size_t kMaxPreviousSteps = 64;

  std::string run_id;
  std::string request_id;
  /// For ids that stand alone; a TraceContext says its own.
  std::string trace_id;
  std::string session_id;
  std::string user_id;
  std::string org_id;
  std::string tenant_id;
  std::string interaction_id;
  std::string workflow_id;
  std::string step_id;
  std::string previous_run_id;
  std::string correlation_id;
  std::map<std::string, std::string> extra{};

  std::string workflow_name;
  std::string workflow_version;
  std::optional<Timestamp> run_started_at{};
  std::optional<Timestamp> session_started_at{};
  std::vector<PreviousStep> previous_steps{};  ///< the oldest first

  bool operator==(const CorrelationIds&) const = default;

  /// The ids that are known, for logging: `pipeline_run_id`, `request_id`, `trace_id`, …, then the
  /// members of `extra` whose names are free.
  [[nodiscard]] json::Object to_object() const;
};

/// One of the texts in CorrelationIds, and its names where it travels; empty where it does not.
struct CorrelationIdNames {
  std::string CorrelationIds::* member;
  std::string_view key;       ///< in `to_object`
  std::string_view variable;  ///< in the environment of a child process
  std::string_view header;    ///< in HTTP requests; the others are nobody else's business
};

inline constexpr auto kCorrelationIdNames = std::to_array<CorrelationIdNames>({
    {&CorrelationIds::run_id, "pipeline_run_id", "WEIR_RUN_ID", "x-pipeline-run-id"},
    {&CorrelationIds::request_id, "request_id", "WEIR_REQUEST_ID", "x-request-id"},
    {&CorrelationIds::trace_id, "trace_id", "", ""},
    {&CorrelationIds::session_id, "session_id", "WEIR_SESSION_ID", ""},
    {&CorrelationIds::user_id, "user_id", "WEIR_USER_ID", ""},
    {&CorrelationIds::org_id, "org_id", "WEIR_ORG_ID", "x-org-id"},
    {&CorrelationIds::tenant_id, "tenant_id", "WEIR_TENANT_ID", ""},
    {&CorrelationIds::interaction_id, "interaction_id", "WEIR_INTERACTION_ID", ""},
    {&CorrelationIds::workflow_id, "workflow_id", "WEIR_WORKFLOW_ID", ""},
    {&CorrelationIds::workflow_name, "", "WEIR_WORKFLOW_NAME", ""},
    {&CorrelationIds::workflow_version, "", "WEIR_WORKFLOW_VERSION", ""},
    {&CorrelationIds::step_id, "step_id", "WEIR_STEP_ID", ""},
    {&CorrelationIds::previous_run_id, "previous_run_id", "WEIR_PREVIOUS_RUN_ID", ""},
    {&CorrelationIds::correlation_id, "correlation_id", "WEIR_CORRELATION_ID", "x-correlation-id"},
});

/// Whether `text` may come in and go out as an id: 1 to kMaxIdBytes of UTF-8, no control
/// characters (they would end a header), no space at either end (carriers cut it off).
[[nodiscard]] bool is_id(std::string_view text);

}  // namespace weir::record
