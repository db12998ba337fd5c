#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "record/correlation_ids.h"

/// What events say in their attributes of where they happen, for want of a field.
namespace weir::record {

/// On every event: `interaction_id`, and the extra ids whose names are no field's.
[[nodiscard]] json::Object context_attributes(const CorrelationIds& ids);

/// Besides, on `pipeline_started`: `workflow_name`, `workflow_version`, `session_started_at`, and
/// `previous_steps`, a list of {step_id, run_id, completed_at}.
[[nodiscard]] json::Object run_context_attributes(const CorrelationIds& ids);

/// `interaction_id` and those of `run_context_attributes`, read again; the extra ids are not. What
/// is of another type is left out.
void read_context_attributes(const json::Object& attributes, CorrelationIds& ids);

/// Unless `text` is no id (is_id).
void set_if_id(std::string& id, std::string_view text);

/// The last kMaxPreviousSteps as a list, and read again.
[[nodiscard]] json::Array previous_steps_array(const CorrelationIds& ids);
void read_previous_steps(const json::Value& value, CorrelationIds& ids);

/// Adds the members of `more` whose keys are free.
void add_missing(json::Object& object, const json::Object& more);

}  // namespace weir::record
