#include "record/observation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "record/context_attributes.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldValue;

std::size_t slot(Field field) { return static_cast<std::size_t>(field); }

/// Whether Run::emit says it of every event.
bool is_of_every_line(Field field) { return field <= Field::kRunSeq; }

std::size_t size_of(std::span<const std::string> strings) {
  std::size_t size = 0;
  for (const auto& string : strings) size += string.size();
  return size;
}

/// Whether the value nests no deeper than `depth` levels.
bool is_within(const json::Value& value, int depth) {
  const auto inner_is_within = [&](const json::Value& inner) {
    return depth > 0 && is_within(inner, depth - 1);
  };
  if (const auto* array = value.array()) return std::ranges::all_of(*array, inner_is_within);
  if (const auto* object = value.object()) {
    return std::ranges::all_of(
        *object, [&](const json::Member& member) { return inner_is_within(member.value); });
  }
  return true;
}

}  // namespace

Observation::Observation(std::shared_ptr<const TraceContext> context)
    : context_(std::move(context)) {}

bool Observation::is_free(Field field) const { return !seen_.test(slot(field)); }

void Observation::put(Field field, const FieldValue::Value& value) {
  seen_.set(slot(field));
  fields_[count_++] = {field, value};
}

void Observation::put_text(Field field, std::string_view text) {
  const auto room = std::min(kMaxTextBytes, kMaxFieldBytes - field_bytes_);
  const auto kept = utf8::cut(text, room);
  cut_bytes_ += static_cast<std::int64_t>(text.size() - kept.size());
  field_bytes_ += kept.size();
  put(field, kept);
}

void Observation::set(Field field, const FieldValue::Value& value) {
  if (!is_free(field) || is_of_every_line(field) || field == Field::kAttributes) {
    ++left_out_;
    return;
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) return put_text(field, *text);
  std::size_t size = sizeof(double);
  if (const auto* object = std::get_if<event::ObjectText>(&value)) size = object->json.size();
  if (const auto* strings = std::get_if<std::span<const std::string>>(&value)) {
    size = size_of(*strings);
  }
  const auto* number = std::get_if<double>(&value);
  if (size > kMaxFieldBytes - field_bytes_ || (number != nullptr && !std::isfinite(*number))) {
    ++left_out_;
    return;
  }
  field_bytes_ += size;
  put(field, value);
}

void Observation::set(std::span<const FieldValue> fields) {
  for (const auto& field : fields) set(field.field, field.value);
}

void Observation::set_default(Field field, std::string_view text) {
  if (is_free(field) && !text.empty()) put_text(field, text);
}

void Observation::set_defaults(const TextFields& defaults) {
  put_context();
  for (const auto& [field, text] : defaults) set_default(field, text);
}

void Observation::add_attributes(const json::Object& attributes) {
  for (const auto& [key, value, position] : attributes) add_attribute(key, value);
}

void Observation::add_attribute(std::string_view key, const json::Value& value) {
  if (attribute_count_ >= kMaxAttributes || key.size() > kMaxAttributeKeyBytes ||
      !is_within(value, kMaxAttributeDepth)) {
    ++left_out_;
    return;
  }
  const auto size_before = attributes_.size();
  const auto* text = value.string();
  if (text != nullptr && text->size() > kMaxAttributeTextBytes) {
    const auto kept = utf8::cut(*text, kMaxAttributeTextBytes);
    cut_bytes_ += static_cast<std::int64_t>(text->size() - kept.size());
    append_attribute(key, json::Value(kept));
  } else {
    append_attribute(key, value);
  }
  if (attributes_.size() > kMaxAttributesBytes) {
    attributes_.resize(size_before);
    ++left_out_;
    return;
  }
  ++attribute_count_;
  if (has_context_attributes()) keys_.emplace_back(key);
}

void Observation::append_attribute(std::string_view key, const json::Value& value) {
  attributes_ += attributes_.empty() ? '{' : ',';
  json::append_string(attributes_, key);
  attributes_ += ':';
  json::append(attributes_, value);
}

void Observation::put_context_attributes() {
  if (!has_context_attributes()) return;
  for (const auto& [key, value, position] : context_attributes(context_->ids)) {
    if (std::ranges::find(keys_, key) == keys_.end()) add_attribute(key, value);
  }
}

void Observation::append_notes() {
  if (cut_bytes_ > 0) append_attribute("weir.cut_bytes", cut_bytes_);
  if (left_out_ > 0) append_attribute("weir.left_out", left_out_);
}

void Observation::put_context() {
  if (!context_) return;
  const auto fill_span = [&](Field field, SpanId id, SpanId::Text& text) {
    text = id.text();
    if (id.value != 0) set_default(field, {text.data(), text.size()});
  };
  // An event that names another trace is not in this one's span.
  if (context_->has_trace() && is_free(Field::kTraceId)) {
    trace_id_ = context_->trace_id.text();
    set_default(Field::kTraceId, trace_id_);
    fill_span(Field::kSpanId, context_->span_id, span_id_);
    fill_span(Field::kParentSpanId, context_->parent_span_id, parent_span_id_);
  }
  const auto& ids = context_->ids;
  set_default(Field::kTenantId, ids.tenant_id);
  set_default(Field::kPreviousRunId, ids.previous_run_id);
  set_default(Field::kSessionId, ids.session_id);
  set_default(Field::kRequestId, ids.request_id);
  set_default(Field::kUserId, ids.user_id);
  set_default(Field::kOrgId, ids.org_id);
  set_default(Field::kWorkflowId, ids.workflow_id);
  set_default(Field::kCorrelationId, ids.correlation_id);
}

void Observation::emit(Run& run, event::Type type, event::Level level) {
  put_context();
  put_context_attributes();
  append_notes();
  if (!attributes_.empty()) {
    attributes_ += '}';
    put(Field::kAttributes, event::ObjectText{attributes_});
  }
  run.emit(type, level, std::span(fields_).first(count_));
}

}  // namespace weir::record
