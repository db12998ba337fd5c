#include "weir/correlation.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "embed/state.h"
#include "embed/values.h"

namespace weir {
namespace embed {
namespace {

/// The texts that both have, by their places in each.
struct IdPair {
  std::string_view name;
  std::string CorrelationIds::* theirs;
  std::string record::CorrelationIds::* ours;
};

constexpr auto kIdPairs = std::to_array<IdPair>({
#define WEIR_ID(id) {#id, &CorrelationIds::id, &record::CorrelationIds::id}
    WEIR_ID(run_id),
    WEIR_ID(request_id),
    WEIR_ID(trace_id),
    WEIR_ID(session_id),
    WEIR_ID(user_id),
    WEIR_ID(org_id),
    WEIR_ID(tenant_id),
    WEIR_ID(interaction_id),
    WEIR_ID(workflow_id),
    WEIR_ID(step_id),
    WEIR_ID(previous_run_id),
    WEIR_ID(correlation_id),
    WEIR_ID(workflow_name),
    WEIR_ID(workflow_version),
#undef WEIR_ID
});

Result<void> check(const CorrelationIds& ids) {
  const auto refuse = [](std::string_view name) {
    return fail(ErrorCode::kInvalidInput,
                "'" + std::string(name) +
                    "': an id is 1 to 256 bytes of UTF-8 without control characters, and without "
                    "spaces around it");
  };
  for (const auto& pair : kIdPairs) {
    const auto& text = ids.*pair.theirs;
    if (!text.empty() && !record::is_id(text)) return refuse(pair.name);
  }
  if (ids.extra.size() > record::CorrelationIds::kMaxExtra) {
    return fail(ErrorCode::kExhausted,
                "at most " + std::to_string(record::CorrelationIds::kMaxExtra) + " extra ids");
  }
  for (const auto& [key, value] : ids.extra) {
    if (!record::is_id(key) || !record::is_id(value)) return refuse("extra");
  }
  return {};
}

record::CorrelationIds to_record_ids(const CorrelationIds& ids) {
  record::CorrelationIds made;
  for (const auto& pair : kIdPairs) made.*pair.ours = ids.*pair.theirs;
  made.extra = ids.extra;
  made.session_started_at = to_timestamp(ids.session_started_at);
  constexpr auto kMost = record::CorrelationIds::kMaxPreviousSteps;
  const auto skipped = ids.previous_steps.size() - std::min(ids.previous_steps.size(), kMost);
  for (const auto& step : std::span(ids.previous_steps).subspan(skipped)) {
    made.previous_steps.push_back({step.step_id, step.run_id, to_timestamp(step.completed_at)});
  }
  return made;
}

CorrelationIds to_user_ids(const record::CorrelationIds& ids) {
  CorrelationIds made;
  for (const auto& pair : kIdPairs) made.*pair.theirs = ids.*pair.ours;
  made.extra = ids.extra;
  made.session_started_at = ids.session_started_at;
  for (const auto& step : ids.previous_steps) {
    made.previous_steps.push_back({step.step_id, step.run_id, step.completed_at});
  }
  return made;
}

}  // namespace
}  // namespace embed

std::map<std::string, std::string> CorrelationIds::to_dict() const {
  std::map<std::string, std::string> dict;
  for (const auto& [key, value, position] : embed::to_record_ids(*this).to_object()) {
    if (const auto* text = value.string()) dict.emplace(key, *text);
  }
  return dict;
}

CorrelationIds ids_of(const TraceContext& context) noexcept {
  const auto shared = embed::Access::get(context);
  if (!shared) return {};
  auto ids = embed::to_user_ids(shared->ids);
  if (shared->has_trace()) ids.trace_id = shared->trace_id.text();
  return ids;
}

StatusOr<TraceContext> with_ids(const TraceContext& context, const CorrelationIds& ids) noexcept {
  if (const auto checked = embed::check(ids); !checked) return embed::to_status(checked.error());
  const auto shared = embed::Access::get(context);
  auto made = shared ? *shared : record::TraceContext();
  made.ids = embed::to_record_ids(ids);
  if (made.has_trace()) made.ids.trace_id.clear();  // it says its own
  return embed::Access::make(std::make_shared<const record::TraceContext>(std::move(made)));
}

Status set_correlation_id(std::string_view id) noexcept {
  return embed::to_status(record::set_correlation_id(id));
}
std::string get_correlation_id() noexcept { return record::correlation_id(); }
std::string ensure_correlation_id() noexcept { return record::ensure_correlation_id(); }

}  // namespace weir
