#include "record/context_attributes.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "event/catalogue.h"

namespace weir::record {
namespace {

struct TextAttribute {
  std::string_view key;
  std::string CorrelationIds::* member;
};
constexpr TextAttribute kEveryEvent = {"interaction_id", &CorrelationIds::interaction_id};
constexpr TextAttribute kFirstEvent[] = {{"workflow_name", &CorrelationIds::workflow_name},
                                         {"workflow_version", &CorrelationIds::workflow_version}};
constexpr std::string_view kSessionStartedAt = "session_started_at";
constexpr std::string_view kPreviousSteps = "previous_steps";

void append_known(json::Object& object, const TextAttribute& attribute, const CorrelationIds& ids) {
  const auto& text = ids.*attribute.member;
  if (!text.empty()) object.append({std::string(attribute.key), text});
}

std::string_view text_member(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  const auto* text = value == nullptr ? nullptr : value->string();
  return text == nullptr ? std::string_view() : *text;
}

void read_known(const json::Object& object, const TextAttribute& attribute, CorrelationIds& ids) {
  set_if_id(ids.*attribute.member, text_member(object, attribute.key));
}

}  // namespace

void set_if_id(std::string& id, std::string_view text) {
  if (is_id(text)) id = text;
}

json::Array previous_steps_array(const CorrelationIds& ids) {
  json::Array array;
  const auto skipped = ids.previous_steps.size() -
                       std::min(ids.previous_steps.size(), CorrelationIds::kMaxPreviousSteps);
  for (const auto& step : std::span(ids.previous_steps).subspan(skipped)) {
    json::Object object;
    if (is_id(step.step_id)) object.append({"step_id", step.step_id});
    if (is_id(step.run_id)) object.append({"run_id", step.run_id});
    if (step.completed_at) object.append({"completed_at", to_string(*step.completed_at)});
    array.emplace_back(std::move(object));
  }
  return array;
}

void read_previous_steps(const json::Value& value, CorrelationIds& ids) {
  if (value.array() == nullptr || value.array()->size() > CorrelationIds::kMaxPreviousSteps) return;
  for (const auto& item : *value.array()) {
    if (item.object() == nullptr) continue;
    PreviousStep step;
    set_if_id(step.step_id, text_member(*item.object(), "step_id"));
    set_if_id(step.run_id, text_member(*item.object(), "run_id"));
    step.completed_at = parse_rfc3339(text_member(*item.object(), "completed_at"));
    ids.previous_steps.push_back(std::move(step));
  }
}

json::Object context_attributes(const CorrelationIds& ids) {
  json::Object object;
  append_known(object, kEveryEvent, ids);
  for (const auto& [key, value] : ids.extra) {
    const bool is_free = !event::find_field(key) && object.find(key) == nullptr;
    if (is_free && object.size() < CorrelationIds::kMaxExtra) object.append({key, value});
  }
  return object;
}

json::Object run_context_attributes(const CorrelationIds& ids) {
  json::Object object;
  for (const auto& attribute : kFirstEvent) append_known(object, attribute, ids);
  if (ids.session_started_at) {
    object.append({std::string(kSessionStartedAt), to_string(*ids.session_started_at)});
  }
  if (!ids.previous_steps.empty()) {
    object.append({std::string(kPreviousSteps), previous_steps_array(ids)});
  }
  return object;
}

void read_context_attributes(const json::Object& attributes, CorrelationIds& ids) {
  read_known(attributes, kEveryEvent, ids);
  for (const auto& attribute : kFirstEvent) read_known(attributes, attribute, ids);
  ids.session_started_at = parse_rfc3339(text_member(attributes, kSessionStartedAt));
  if (const auto* steps = attributes.find(kPreviousSteps)) read_previous_steps(*steps, ids);
}

void add_missing(json::Object& object, const json::Object& more) {
  for (const auto& member : more) {
    if (object.find(member.key) == nullptr) object.append(member);
  }
}

}  // namespace weir::record
