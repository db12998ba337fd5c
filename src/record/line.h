#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "event/catalogue.h"
#include "event/field_value.h"

/// An event's line in the log, made from what a thread said of it.
namespace weir::record {

/// A member of a line that is ready to be written: `,"name":value`.
struct RenderedField {
  event::Field field;
  std::string text;
};
[[nodiscard]] RenderedField render(const event::FieldValue& field);

/// What a line says.
struct Line {
  Timestamp timestamp;
  event::Type type;
  event::Level level;
  std::string_view run;  ///< from after the level to the number: `,"pipeline_type":…,"run_seq":`
  std::int64_t seq;
  std::string_view fields;                   ///< encoded
  std::span<const RenderedField> constants;  ///< in the order of the catalogue; `fields` win
};

/// Threads One: it remembers the last second's text.
class LineRenderer {
 public:
  /// Appends the line, its newline too, with its fields in the order of the catalogue.
  void append(std::string& out, const Line& line);

 private:
  char* put_timestamp(char* out, Timestamp time);

  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  char second_text_[kRfc3339Size]{};
};

/// Escaping makes six bytes of one at the most, and there are fewer than 128 fields.
inline constexpr std::size_t kMaxCutValue = std::size_t{4} << 10;

/// The encoded fields of an event whose line would be too long, as they may be written: strings are
/// cut to kMaxCutValue, longer lists and objects are emptied, and `attributes` gets the member
/// `cut_bytes`, which says how long each was. Any fields make a line under log::kMaxEventBytes
/// then.
[[nodiscard]] std::string cut_fields(std::string_view fields);

/// The text of the object `attributes` with `member` (`"name":value`) put first; `attributes` may
/// be empty.
[[nodiscard]] std::string with_member(std::string_view member, std::string_view attributes);

}  // namespace weir::record
