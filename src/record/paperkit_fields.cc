#include "record/paperkit_fields.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace weir::record {
namespace {

using event::Field;

json::Value first_field(const ProjectedEvent& event, std::initializer_list<Field> fields) {
  for (const auto field : fields) {
    if (event.event.has(field)) return event.field(field);
  }
  return {};
}

json::Value first_attribute(const ProjectedEvent& event,
                            std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (auto value = event.attribute(name); !value.is_null()) return value;
  }
  return {};
}

json::Value or_else(json::Value value, json::Value other) {
  return value.is_null() ? std::move(other) : std::move(value);
}

json::Value action_of(const ProjectedEvent& event) {
  return or_else(or_else(event.field(Field::kOperation), event.attribute("action")),
                 event.event.type_name());
}

json::Value artifact_hash_of(const ProjectedEvent& event) {
  const auto hash = event.event.text(Field::kArtifactSha256);
  return hash.empty() ? json::Value() : json::Value("sha256:" + std::string(hash));
}

json::Value duration_of(const ProjectedEvent& event) {
  const auto milliseconds = event.event.number(Field::kDurationMs);
  return milliseconds ? json::Value(*milliseconds / 1000) : json::Value();
}

json::Value files_modified_of(const ProjectedEvent& event) {
  return first_attribute(event,
                         {"filesModified", "files_modified", "filesWritten", "files_written"});
}

/// `what` is "input" or "output".
json::Value summary_of(const ProjectedEvent& event, const std::string& what) {
  auto flat = first_attribute(event, {what + "Summary", what + "_summary"});
  if (!flat.is_null()) return flat;
  const auto nested = event.attribute(what);
  const auto* summary = nested.object() == nullptr ? nullptr : nested.object()->find("summary");
  return summary == nullptr ? json::Value() : *summary;
}
json::Value input_summary_of(const ProjectedEvent& event) { return summary_of(event, "input"); }
json::Value output_summary_of(const ProjectedEvent& event) { return summary_of(event, "output"); }

json::Value message_of(const ProjectedEvent& event) {
  return first_field(event, {Field::kErrorMessage, Field::kMessage, Field::kReason});
}

json::Value resource_of(const ProjectedEvent& event) {
  return or_else(event.attribute("resource"),
                 first_field(event, {Field::kArtifactPath, Field::kTargetRunId}));
}

json::Value result_of(const ProjectedEvent& event) {
  return or_else(event.field(Field::kOutcome), event.attribute("result"));
}

json::Value source_of(const ProjectedEvent& event) {
  return first_field(event, {Field::kErrorSource, Field::kComponent, Field::kNodeId, Field::kToolId,
                             Field::kAgentId, Field::kLogger, Field::kPipelineId});
}

/// PaperKit's word for an outcome or for the end of a type's name; empty when it has none.
std::string_view status_word(std::string_view word) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"started", "in_progress"}, {"invoked", "in_progress"}, {"resumed", "in_progress"},
      {"completed", "success"},   {"ok", "success"},          {"success", "success"},
      {"failed", "failure"},      {"failure", "failure"},     {"error", "failure"},
      {"oom", "failure"},         {"partial", "partial"},     {"timeout", "timeout"},
      {"cancelled", "cancelled"}, {"skipped", "skipped"},     {"paused", "paused"},
      {"denied", "denied"},       {"scheduled", "retrying"}};
  const auto* found =
      std::ranges::find(kWords, word, &std::pair<std::string_view, std::string_view>::first);
  return found == std::end(kWords) ? std::string_view() : found->second;
}

/// What the outcome says, or else the type: `pipeline_node_completed` with `cached` is a success.
json::Value status_of(const ProjectedEvent& event) {
  const auto outcome = event.event.text(Field::kOutcome);
  if (const auto word = status_word(outcome); !word.empty()) return word;
  const auto type = event.event.type_name();
  const auto end = type.substr(type.find_last_of("_.") + 1);
  if (const auto word = status_word(end); !word.empty()) return word;
  return event.field(Field::kOutcome);
}

json::Value step_of(const ProjectedEvent& event) { return event.field(Field::kNodeId); }

json::Value token_usage_of(const ProjectedEvent& event) {
  const auto input = event.event.integer(Field::kInputTokens);
  const auto output = event.event.integer(Field::kOutputTokens);
  if (!input && !output) return {};
  json::Object usage;
  if (input) usage.append({"input", *input});
  if (output) usage.append({"output", *output});
  std::int64_t total = 0;
  if (!__builtin_add_overflow(input.value_or(0), output.value_or(0), &total)) {
    usage.append({"total", total});
  }
  return usage;
}

json::Value user_id_of(const ProjectedEvent& event) {
  return first_field(event, {Field::kActorId, Field::kUserId});
}
json::Value workflow_id_of(const ProjectedEvent& event) {
  return first_field(event, {Field::kWorkflowId, Field::kRunId});
}
json::Value workflow_name_of(const ProjectedEvent& event) {
  return first_field(event, {Field::kPipelineName, Field::kPipelineId});
}

json::Value context_of(const ProjectedEvent& event) {
  json::Object context;
  const auto add = [&](std::string_view name, json::Value value) {
    if (!value.is_null()) context.append({std::string(name), std::move(value)});
  };
  add("runId", event.field(Field::kRunId));
  add("workflowId", event.field(Field::kWorkflowId));
  add("workflowName", workflow_name_of(event));
  add("stepId", step_of(event));
  add("attempt", event.field(Field::kAttempt));
  add("toolId", event.field(Field::kToolId));
  add("agentId", event.field(Field::kAgentId));
  add("sessionId", event.field(Field::kSessionId));
  add("userId", event.field(Field::kUserId));
  add("traceId", event.field(Field::kTraceId));
  add("spanId", event.field(Field::kSpanId));
  const auto own = event.attribute("context");
  if (own.object() != nullptr) context.update(*own.object());
  return context;
}

struct NamedValue {
  std::string_view name;
  json::Value (*value)(const ProjectedEvent&);
};
constexpr NamedValue kValues[] = {
    {"action", action_of},
    {"artifactHash", artifact_hash_of},
    {"context", context_of},
    {"duration", duration_of},
    {"executionTime", duration_of},
    {"filesModified", files_modified_of},
    {"inputSummary", input_summary_of},
    {"message", message_of},
    {"outputSummary", output_summary_of},
    {"resource", resource_of},
    {"result", result_of},
    {"source", source_of},
    {"status", status_of},
    {"step", step_of},
    {"stepId", step_of},
    {"tokenUsage", token_usage_of},
    {"userId", user_id_of},
    {"workflowId", workflow_id_of},
    {"workflowName", workflow_name_of},
};

/// `exitCode` as `exit_code`.
std::string to_snake_case(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    if (is_capital && !snake.empty()) snake += '_';
    snake += is_capital ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return snake;
}

}  // namespace

ValueOf paperkit_value(std::string_view name) {
  const auto* special = std::ranges::find(kValues, name, &NamedValue::name);
  if (special != std::end(kValues)) return special->value;
  auto snake = to_snake_case(name);
  if (event::find_field(snake)) return value_named(snake);
  return [name = std::string(name), snake = std::move(snake)](const ProjectedEvent& event) {
    return first_attribute(event, {name, snake});
  };
}

}  // namespace weir::record
