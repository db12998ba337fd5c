#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "event/field_value.h"
#include "record/context.h"
#include "record/recorder.h"

namespace weir::record {

/// Texts that every event of somebody has.
using TextFields = std::vector<std::pair<event::Field, std::string>>;

/// An event that code outside the engine says: held to limits, so that its line stays far below
/// log::kMaxEventBytes however it is escaped, and tied to a place in a trace. What does not fit is
/// cut or left out, and the event says how much in its attributes `weir.cut_bytes` and
/// `weir.left_out`.
///
/// Lifetimes  Views given to `set` are read by `emit`.
/// Threads    One.
class Observation {
 public:
  /// Of one text field: a long stack trace.
  static constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;
  /// Of all fields but the attributes, before escaping, which may make six bytes of one.
  static constexpr std::size_t kMaxFieldBytes = std::size_t{256} << 10;
  /// Of the attributes as JSON.
  static constexpr std::size_t kMaxAttributesBytes = std::size_t{128} << 10;
  /// Of one attribute that is a text; what OpenTelemetry's collectors and stores usually take.
  static constexpr std::size_t kMaxAttributeTextBytes = std::size_t{16} << 10;
  static constexpr std::size_t kMaxAttributeKeyBytes = 256;
  /// The 128 of OpenTelemetry's SDKs and some that are ours.
  static constexpr std::size_t kMaxAttributes = 160;
  /// Of an attribute's arrays and objects within each other: far below what readers of JSON take.
  static constexpr int kMaxAttributeDepth = 32;

  /// In `context`, which gives trace, span and correlation ids, and context_attributes, where `set`
  /// and `add_attribute` give none; null: in none.
  explicit Observation(std::shared_ptr<const TraceContext> context = current_context());
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  /// The first value of a field is the one that counts. Left out: what every line says already
  /// (timestamp to run_seq), `attributes`, numbers that JSON cannot say.
  void set(event::Field field, const event::FieldValue::Value& value);
  void set(std::span<const event::FieldValue> fields);
  /// If the field has no value yet and the text is not empty.
  void set_default(event::Field field, std::string_view text);
  /// The context's ids, and then `defaults`, where nothing is said. Before `emit`, which does the
  /// first part alone.
  void set_defaults(const TextFields& defaults);
  /// Adds members to the attributes.
  void add_attributes(const json::Object& attributes);
  void add_attribute(std::string_view key, const json::Value& value);

  /// Once. Each value must fit its field (event::fits).
  void emit(Run& run, event::Type type, event::Level level);

 private:
  [[nodiscard]] bool is_free(event::Field field) const;
  [[nodiscard]] bool has_context_attributes() const {
    return context_ && !(context_->ids.interaction_id.empty() && context_->ids.extra.empty());
  }
  void put(event::Field field, const event::FieldValue::Value& value);
  void put_text(event::Field field, std::string_view text);
  void put_context();
  void put_context_attributes();
  void append_attribute(std::string_view key, const json::Value& value);
  void append_notes();

  std::shared_ptr<const TraceContext> context_;
  std::string trace_id_;
  SpanId::Text span_id_{};
  SpanId::Text parent_span_id_{};
  std::array<event::FieldValue, event::kFieldCount> fields_;
  std::size_t count_ = 0;
  std::bitset<event::kFieldCount> seen_;
  std::size_t field_bytes_ = 0;
  std::string attributes_;         // JSON, without the closing brace
  std::vector<std::string> keys_;  // of attributes_, if the context has attributes too
  std::size_t attribute_count_ = 0;
  std::int64_t left_out_ = 0;
  std::int64_t cut_bytes_ = 0;
};

}  // namespace weir::record
