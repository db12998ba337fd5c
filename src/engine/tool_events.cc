#include "base/text.h"
#include "base/utf8.h"
#include "engine/error_summary.h"
#include "engine/node_events.h"

// What is said of each call of a tool, if the pipeline wants that: stageflow's events of tools.
namespace weir::engine {
namespace {

using event::Field;
using event::Type;

/// Longer texts of an input are cut, and larger values only counted.
constexpr std::size_t kMaxSummaryText = 200;

json::Value summary_of(const json::Value& value) {
  if (const auto* text = value.string()) {
    if (text->size() <= kMaxSummaryText) return *text;
    return std::string(utf8::cut(*text, kMaxSummaryText)) + "...";
  }
  if (const auto* list = value.array()) {
    return "<list with " + text::count(list->size(), "item") + ">";
  }
  if (const auto* object = value.object()) {
    return "<object with " + text::count(object->size(), "member") + ">";
  }
  return value;
}

}  // namespace

event::FieldList NodeEvents::of_call() const {
  auto fields = common();
  add_attempt(fields);
  fields.push_back({Field::kCallId, std::string_view(span_.data(), span_.size())});
  return fields;
}

void NodeEvents::tool_invoked(const json::Object& payload) {
  constexpr std::size_t kMaxMembers = 20;
  json::Object summary, attributes;
  for (const auto& member : payload) {
    if (summary.size() == kMaxMembers) break;
    summary.set(member.key, summary_of(member.value));
  }
  attributes.set("payload_summary", std::move(summary));
  const auto text = json::to_text(attributes);
  auto fields = of_call();
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  run_.emit(Type::kToolInvoked, fields);
}

void NodeEvents::tool_started() { run_.emit(Type::kToolStarted, of_call()); }

void NodeEvents::tool_completed(double duration_ms, const tool::Output& output) {
  json::Object summary, attributes;
  summary.set("success", true);
  summary.set("has_data", !output.payload.empty());
  summary.set("has_undo_metadata", node_.undo.has_value());
  attributes.set("output_summary", std::move(summary));
  const auto text = json::to_text(attributes);
  auto fields = of_call();
  fields.push_back({Field::kDurationMs, duration_ms});
  fields.push_back({Field::kAttributes, event::ObjectText{text}});
  run_.emit(Type::kToolCompleted, fields);
}

void NodeEvents::tool_failed(double duration_ms, const tool::Failure& failure) {
  auto fields = of_call();
  fields.push_back({Field::kDurationMs, duration_ms});
  fields.push_back({Field::kErrorType, std::string_view(failure.type)});
  fields.push_back({Field::kErrorCode, error_code_of(failure)});
  fields.push_back({Field::kErrorMessage, std::string_view(failure.message)});
  run_.emit(Type::kToolFailed, fields);
}

}  // namespace weir::engine
