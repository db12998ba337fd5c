#include "embed/event_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "embed/values.h"

namespace weir::embed {
namespace {

using event::FieldValue;

/// What each type must have beside what every line has.
constexpr std::array kRequired = [] {
  using event::Field;
#define WEIR_REQUIRED(id, name, family, level, doc, ...) FieldSet({__VA_ARGS__}),
  return std::array<FieldSet, event::kTypeCount>{WEIR_TYPES(WEIR_REQUIRED)};
#undef WEIR_REQUIRED
}();

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorCode::kInvalidInput, std::move(message));
}

std::string quoted(event::Field field) { return "'" + std::string(event::info(field).name) + "'"; }

/// 64 bits as an id's bytes have them.
SpanId::Text half_text(const TraceId& id, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8U | id.bytes[offset + i];
  return SpanId{value}.text();
}

}  // namespace

EventBuilder& EventBuilder::of_this_thread() {
  thread_local EventBuilder builder;
  return builder;
}

void EventBuilder::clear() {
  count_ = 0;
  seen_ = {};
  said_ = {};
  attributes_.clear();
  objects_.clear();
}

Result<void> EventBuilder::set(Fields fields) {
  clear();
  said_ = fields;
  for (const auto& field : fields) {
    if (field.index() == Field::kAttribute) {
      WEIR_TRY(add_attribute(field));
    } else {
      WEIR_TRY(add(field));
    }
  }
  return {};
}

Result<void> EventBuilder::set(Fields fields, json::Object& attributes) {
  clear();
  for (const auto& field : fields) {
    if (field.index() == Field::kAttribute) {
      WEIR_TRY(auto value, to_json(field.value()));
      attributes.set(field.name(), std::move(value));
    } else {
      WEIR_TRY(add(field));
    }
  }
  return {};
}

void EventBuilder::put(event::Field field, const FieldValue::Value& value) {
  seen_.add(field);
  fields_[count_++] = {field, value};
}

Result<void> EventBuilder::add(const Field& said) {
  // The constants of weir/fields.h fit; an index that somebody made up may not.
  const auto field = static_cast<event::Field>(said.index());
  if (said.index() >= event::kFieldCount || field <= event::Field::kRunSeq ||
      field == event::Field::kAttributes) {
    return invalid("there is no field of index " + std::to_string(said.index()));
  }
  if (seen_.has(field)) return invalid(quoted(field) + " is said twice");
  auto value = to_field_value(said.value());
  if (!value) return std::unexpected(std::move(value).error().within(quoted(field)));
  if (!event::fits({field, *value})) return invalid(quoted(field) + " is of another type");
  put(field, *value);
  return {};
}

Result<FieldValue::Value> EventBuilder::to_field_value(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return nullptr;
    case Value::Kind::kBoolean:
      return value.boolean();
    case Value::Kind::kInteger:
      return value.integer();
    case Value::Kind::kUnsigned: {
      constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
      if (value.unsigned_integer() > std::uint64_t{kMost}) return invalid("more than 64 bits hold");
      return static_cast<std::int64_t>(value.unsigned_integer());
    }
    case Value::Kind::kNumber:
      if (!std::isfinite(value.number())) return invalid("not a finite number");
      return value.number();
    case Value::Kind::kText:
      return value.text();
    case Value::Kind::kStrings:
      WEIR_TRY(check_size(value.strings()));
      return std::span(value.strings().data(), value.strings().size());
    case Value::Kind::kJson:
      WEIR_TRY(append_object(objects_.emplace_back(), {value.text()}));
      return event::ObjectText{objects_.back()};
  }
  return nullptr;
}

Result<void> EventBuilder::add_attribute(const Field& field) {
  attributes_ += attributes_.empty() ? '{' : ',';
  json::append_string(attributes_, field.name());
  attributes_ += ':';
  if (auto done = append_json(attributes_, field.value()); !done) {
    return std::unexpected(
        std::move(done).error().within("the attribute '" + std::string(field.name()) + "'"));
  }
  if (attributes_.size() <= kMaxAttributesBytes) return {};
  return fail(ErrorCode::kExhausted,
              "attributes of more than " + std::to_string(kMaxAttributesBytes) + " bytes");
}

void EventBuilder::add_default(event::Field field, std::string_view text) {
  if (!seen_.has(field) && !text.empty()) put(field, text);
}

void EventBuilder::add_defaults(const TextFields& fields) {
  for (const auto& [field, text] : fields) add_default(field, text);
}

void EventBuilder::add_missing(const json::Object& attributes) {
  for (const auto& [name, value, position] : attributes) {
    const bool is_said = std::ranges::any_of(said_, [&](const Field& field) {
      return field.index() == Field::kAttribute && field.name() == name;
    });
    if (is_said) continue;
    attributes_ += attributes_.empty() ? '{' : ',';
    json::append_string(attributes_, name);
    attributes_ += ':';
    json::append(attributes_, value);
  }
}

void EventBuilder::add_context(const record::TraceContext& context) {
  // An event that names another trace is not in this one's span.
  if (context.has_trace() && !seen_.has(event::Field::kTraceId)) {
    const auto first = half_text(context.trace_id, 0);
    const auto second = half_text(context.trace_id, sizeof(std::uint64_t));
    std::ranges::copy(second, std::ranges::copy(first, trace_id_.begin()).out);
    add_default(event::Field::kTraceId, {trace_id_.data(), trace_id_.size()});
    const auto add_span = [&](event::Field field, SpanId id, SpanId::Text& text) {
      text = id.text();
      if (id.value != 0) add_default(field, {text.data(), text.size()});
    };
    add_span(event::Field::kSpanId, context.span_id, span_id_);
    add_span(event::Field::kParentSpanId, context.parent_span_id, parent_span_id_);
  }
  for (const auto& [field, member] : kContextIds) add_default(field, context.ids.*member);
}

Result<void> EventBuilder::check_required(event::Type type) const {
  if (type == event::Type::kCustom) return {};
  if (seen_.has_all(kRequired[static_cast<std::size_t>(type)])) return {};
  std::string missing;
  for (const auto field : event::info(type).required) {
    if (!seen_.has(field)) missing += (missing.empty() ? "" : ", ") + quoted(field);
  }
  return invalid("without " + missing);
}

std::span<const FieldValue> EventBuilder::finish() {
  if (!attributes_.empty()) {
    attributes_ += '}';
    put(event::Field::kAttributes, event::ObjectText{attributes_});
  }
  return std::span(fields_).first(count_);
}

}  // namespace weir::embed
