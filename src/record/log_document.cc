#include "record/log_document.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "record/projection.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldType;

/// Where another name than the field's own in camel case is usual.
constexpr auto kDocumentNames = std::to_array<std::pair<Field, std::string_view>>({
    {Field::kPipelineId, "planId"},
    {Field::kPipelineVersion, "planVersion"},
    {Field::kNodeId, "stepId"},
    {Field::kEngineAttempt, "engineAttemptId"},
    {Field::kAttempt, "logicalAttemptId"},
});

/// Of the document itself, in this order; `component` and `message` always.
constexpr auto kTopFields = std::to_array<Field>({
    Field::kTimestamp,
    Field::kLevel,
    Field::kComponent,
    Field::kEventType,
    Field::kMessage,
    Field::kRunId,
    Field::kRunSeq,
    Field::kPipelineId,
    Field::kPipelineVersion,
    Field::kTenantId,
    Field::kProjectId,
    Field::kEnvironmentId,
    Field::kAdapter,
    Field::kNodeId,
});

/// Groups of the catalogue whose whole numbers are measured, not names.
constexpr auto kMeasuredGroups = std::to_array<std::string_view>({"used", "run", "agent"});

std::string camel_case(std::string_view name) {
  std::string camel;
  bool is_next_upper = false;
  for (const char c : name) {
    if (c == '_') {
      is_next_upper = true;
      continue;
    }
    const bool raise = std::exchange(is_next_upper, false) && c >= 'a' && c <= 'z';
    camel += raise ? static_cast<char>(c - ('a' - 'A')) : c;
  }
  return camel;
}

std::string document_name(const event::FieldInfo& field) {
  const auto* const known =
      std::ranges::find(kDocumentNames, field.field, &std::pair<Field, std::string_view>::first);
  return known == kDocumentNames.end() ? camel_case(field.name) : std::string(known->second);
}

bool is_at_top(Field field) { return std::ranges::find(kTopFields, field) != kTopFields.end(); }

bool is_metric(const event::FieldInfo& field) {
  if (field.type == FieldType::kNumber) return true;
  return field.type == FieldType::kInteger &&
         std::ranges::find(kMeasuredGroups, field.group) != kMeasuredGroups.end();
}

bool is_number(const json::Value& value) {
  const auto& data = value.variant();
  return std::holds_alternative<std::int64_t>(data) ||
         std::holds_alternative<std::uint64_t>(data) || std::holds_alternative<double>(data);
}

/// What a line must have, if the event does not say it in so many words.
json::Value top_value(const ProjectedEvent& event, Field field) {
  auto value = event.field(field);
  if (!value.is_null()) return value;
  if (field == Field::kComponent) {
    const auto logger = event.event.text(Field::kLogger);
    return logger.empty() ? json::Value("engine") : json::Value(logger);
  }
  if (field != Field::kMessage) return value;
  const auto error = event.event.text(Field::kErrorMessage);
  return error.empty() ? json::Value(event.event.type_name()) : json::Value(error);
}

}  // namespace

json::Object to_log_document(const event::EventView& event) {
  const ProjectedEvent projected(event);
  json::Object document, context, metrics;
  for (const auto field : kTopFields) {
    auto value = top_value(projected, field);
    if (!value.is_null()) document.append({document_name(event::info(field)), std::move(value)});
  }
  for (const auto& field : event::fields()) {
    if (is_at_top(field.field) || field.field == Field::kAttributes || !event.has(field.field)) {
      continue;
    }
    auto& group = is_metric(field) ? metrics : context;
    group.append({document_name(field), projected.field(field.field)});
  }
  // A producer's own names are kept as they are.
  for (const auto& [name, value, position] : projected.attributes) {
    auto& group = is_number(value) ? metrics : context;
    if (group.find(name) == nullptr) group.append({name, value});
  }
  document.append({"context", std::move(context)});
  document.append({"metrics", std::move(metrics)});
  return document;
}

}  // namespace weir::record
