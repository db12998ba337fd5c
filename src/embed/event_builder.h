#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "embed/state.h"
#include "event/field_value.h"

namespace weir::embed {

/// A set of fields of the catalogue.
class FieldSet {
 public:
  constexpr FieldSet() = default;
  constexpr FieldSet(std::initializer_list<event::Field> fields) {
    for (const auto field : fields) add(field);
  }
  constexpr void add(event::Field field) { word(field) |= bit(field); }
  [[nodiscard]] constexpr bool has(event::Field field) const {
    return (words_[slot(field) / 64] & bit(field)) != 0;
  }
  [[nodiscard]] constexpr bool has_all(const FieldSet& other) const {
    return (other.words_[0] & ~words_[0]) == 0 && (other.words_[1] & ~words_[1]) == 0;
  }

 private:
  static constexpr std::size_t slot(event::Field field) { return static_cast<std::size_t>(field); }
  static constexpr std::uint64_t bit(event::Field field) {
    return std::uint64_t{1} << slot(field) % 64;
  }
  constexpr std::uint64_t& word(event::Field field) { return words_[slot(field) / 64]; }

  static_assert(event::kFieldCount <= 128);
  std::array<std::uint64_t, 2> words_{};
};

/// Turns what a program says of one event into what the recorder takes: one a thread, used again
/// and again, so that it allocates only to grow.
class EventBuilder {
 public:
  /// Of all attributes as JSON.
  static constexpr std::size_t kMaxAttributesBytes = std::size_t{1} << 20;

  [[nodiscard]] static EventBuilder& of_this_thread();

  /// Begins an event. Errors: kInvalidInput, naming the field, for a value of another type than the
  /// field's, a number that is not finite, a field that was said twice; kExhausted.
  [[nodiscard]] Result<void> set(Fields fields);
  /// The same, but attributes become members of `attributes`.
  [[nodiscard]] Result<void> set(Fields fields, json::Object& attributes);
  /// Begins an event that says nothing.
  void clear();

  /// What was not said yet. The text outlives the event.
  void add_default(event::Field field, std::string_view text);
  void add_defaults(const TextFields& fields);
  /// Attributes, where the event has none of that name.
  void add_missing(const json::Object& attributes);
  /// Place in the trace, and ids. The context outlives the event.
  void add_context(const record::TraceContext& context);

  /// Errors: kInvalidInput, naming what the type must have and the event does not.
  [[nodiscard]] Result<void> check_required(event::Type type) const;

  /// With the attributes; until the next event.
  [[nodiscard]] std::span<const event::FieldValue> finish();

 private:
  [[nodiscard]] Result<void> add(const Field& said);
  [[nodiscard]] Result<void> add_attribute(const Field& field);
  [[nodiscard]] Result<event::FieldValue::Value> to_field_value(const Value& value);
  void put(event::Field field, const event::FieldValue::Value& value);

  std::array<event::FieldValue, event::kFieldCount> fields_;
  std::size_t count_ = 0;
  FieldSet seen_;
  Fields said_;
  std::string attributes_;  // JSON, without the closing brace
  std::deque<std::string> objects_;
  std::array<char, 2 * SpanId::kTextSize> trace_id_{};
  SpanId::Text span_id_{};
  SpanId::Text parent_span_id_{};
};

}  // namespace weir::embed
