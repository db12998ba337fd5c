#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "event/catalogue.h"
#include "event/redaction.h"
#include "record/encoding.h"

namespace weir::record {

/// Masks what an event's fields must not say, before its line is made.
///
///   message, reason, error_message, stack_trace     as messages
///   output; params                                  as a node's output; input
///   attributes                                      as messages of a `log`, as a node's input of a
///                                                   `node_io`, otherwise as fields
///   error_type, error_code, error_source, artifact_path, source, pipeline_name    as fields
///   any other text                                  whole, if the policy calls its name secret
///
/// Ids of an event, which a policy does not name, are not looked at. What a run says on every line
/// is masked once, when the run begins.
class FieldRedactor {
 public:
  explicit FieldRedactor(const event::Redactor& redactor);

  /// The encoded `fields` as they may be written, if something was masked: `attributes` has got the
  /// member `redacted` then, which says how often each rule was applied, as in {"email":2}. Good
  /// until the next call. Threads: one.
  [[nodiscard]] std::optional<std::string_view> redact(event::Type type, std::string_view fields);

  /// A part of `attributes` that is masked once for several events: a JSON object. What it may say,
  /// and in `counts` how often each rule was applied.
  [[nodiscard]] std::string redact_part(event::Type type, std::string_view object,
                                        event::RedactionCounts& counts) const;

  /// What was masked before in what the next event says: it is counted there.
  void count_before(const event::RedactionCounts& counts) {
    counts_.add(counts);
    counts_before_ = true;
  }

  /// How many values were masked so far.
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  enum class Treatment : std::uint8_t { kNone, kField, kMessage, kInput, kOutput, kByType, kNamed };

  /// True: `masked_` is what it may say.
  [[nodiscard]] bool redact_field(event::Type type, const EncodedField& field);
  [[nodiscard]] bool redact_text(event::Type type, const EncodedField& field, Treatment treatment);
  void put(const EncodedField& field);
  /// What is left of the fields, then what was counted.
  [[nodiscard]] std::string_view redact_rest(event::Type type, std::string_view rest);
  [[nodiscard]] std::string counts_member() const;

  const event::Redactor& redactor_;
  std::array<Treatment, event::kFieldCount> treatments_{};
  event::RedactionCounts counts_;  // of the event at hand
  bool counts_before_ = false;
  std::uint64_t total_ = 0;
  std::string masked_;  // the field at hand
  std::string out_;
  std::string attributes_;  // of the event, which come last
};

}  // namespace weir::record
