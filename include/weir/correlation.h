#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/status.h"
#include "weir/trace.h"

/// Which request, session, user and workflow something happens for, and how that is taken along
/// into other threads. Into coroutines: weir/coroutine.h; into other processes and requests:
/// TraceContext::to_environment, to_headers.
namespace weir {

/// A step of the workflow that has ended, and the run that did it.
struct PreviousStep {
  std::string step_id{};
  std::string run_id{};
  std::optional<std::chrono::system_clock::time_point> completed_at{};
};

/// The ids that a context carries. An empty text is an id that is not known; others are 1 to 256
/// bytes of UTF-8 without control characters, and no space at either end.
///
/// Events inside the context have request, session, user, org, tenant, workflow, previous run and
/// correlation id as fields, and `interaction_id` and the extra ids as attributes.
/// `pipeline_started` says the rest in its attributes: `workflow_name`, `workflow_version`,
/// `session_started_at`, `previous_steps`.
struct CorrelationIds {
  std::string run_id{};
  std::string request_id{};
  std::string trace_id{};  ///< for ids that stand alone: a TraceContext says its own
  std::string session_id{};
  std::string user_id{};
  std::string org_id{};
  std::string tenant_id{};
  std::string interaction_id{};
  std::string workflow_id{};
  std::string step_id{};
  std::string previous_run_id{};
  std::string correlation_id{};
  std::map<std::string, std::string> extra{};  ///< of your own, at most 32

  std::string workflow_name{};
  std::string workflow_version{};
  std::optional<std::chrono::system_clock::time_point> session_started_at{};
  std::vector<PreviousStep> previous_steps{};  ///< the oldest first; the last 64 are kept

  /// The ids that are known, for logging: `pipeline_run_id`, `request_id`, `trace_id`, …, then
  /// those of `extra` whose names are free.
  [[nodiscard]] std::map<std::string, std::string> to_dict() const;
};

/// Of a context; its trace's id is among them.
[[nodiscard]] CorrelationIds ids_of(const TraceContext& context) noexcept;
/// A copy of the context with these ids in place of its own. Errors: kInvalidInput for what is not
/// an id, naming it; kExhausted for too many.
[[nodiscard]] StatusOr<TraceContext> with_ids(const TraceContext& context,
                                              const CorrelationIds& ids) noexcept;

/// Of what is current in this thread: a changed copy is current from then on, until the innermost
/// ContextScope ends, or for good where there is none. Errors: kInvalidInput for what is not an id.
Status set_correlation_id(std::string_view id) noexcept;
[[nodiscard]] std::string get_correlation_id() noexcept;  ///< empty: there is none
/// What it is; when there is none, a new UUID that it is from now on.
std::string ensure_correlation_id() noexcept;

/// `function` with `context` current while it runs, for another thread to call:
///
///   std::thread worker(weir::bind(weir::TraceContext::capture(), [&] { work(); }));
template <class Function>
[[nodiscard]] auto bind(TraceContext context, Function function) {
  return [context = std::move(context),
          function = std::move(function)](auto&&... arguments) mutable -> decltype(auto) {
    const ContextScope scope(context);
    return std::invoke(function, std::forward<decltype(arguments)>(arguments)...);
  };
}

}  // namespace weir
