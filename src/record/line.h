#pragma once

#include <algorithm>
#include <array>
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

/// The room that LineRenderer::put may use.
[[nodiscard]] std::size_t max_size(const Line& line);

/// Where the last event happened: its first fields, from the span to the tool, encoded and as they
/// stand in its line. Those of a node are said by one thread, so most events begin with the same
/// bytes as the one before.
struct LastPlace {
  std::string encoded;
  std::string text;
  event::Field last{};  ///< of these fields
};

/// What is the same in most events as in the one before.
enum class Repeats : std::uint8_t {
  kPlaces,  ///< of one thread's runs
  kNone,    ///< of other systems: a span says no more than one event
};

/// Threads One: it remembers the last second's text, and the last place's.
class LineRenderer {
 public:
  explicit LineRenderer(Repeats repeats = Repeats::kPlaces) : repeats_(repeats) {}

  /// Writes the line, its newline too, with its fields in the order of the catalogue, to where
  /// there is room for max_size(line), and returns its end.
  [[nodiscard]] char* put(char* out, const Line& line);
  void append(std::string& out, const Line& line);
  /// How far behind the beginning of the line that was made last its number is.
  [[nodiscard]] std::size_t number_offset() const { return number_offset_; }

 private:
  [[nodiscard]] char* put_head(char* out, Timestamp time);

  static constexpr std::string_view kHead =
      R"({"timestamp":"0000-00-00T00:00:00.000000Z","event_type":)";
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::array<char, kHead.size()> head_ = [] {
    std::array<char, kHead.size()> head{};
    std::ranges::copy(kHead, head.begin());
    return head;
  }();
  const Repeats repeats_;
  LastPlace place_;
  std::size_t number_offset_ = 0;
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
