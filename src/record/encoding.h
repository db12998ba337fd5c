#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "event/field_value.h"

/// How an event's fields cross from the thread that says them to the thread that writes them: bytes
/// that cost the first one a few copies, and that the second one turns into JSON. In memory only.
namespace weir::record {

/// More fields than any event has.
inline constexpr std::size_t kMaxFields = 128;

/// A longer string is cut when it is encoded: its line would be cut anyway.
inline constexpr std::size_t kMaxString = std::size_t{4} << 20;

/// The bytes that `encode` will write.
[[nodiscard]] std::size_t encoded_size(std::span<const event::FieldValue> fields);

/// Writes encoded_size(fields) bytes to `out` and returns their end; null, and something of it
/// written, when `end` comes before. Each value must fit its field.
[[nodiscard]] std::byte* encode(std::span<const event::FieldValue> fields, std::byte* out,
                                const std::byte* end);
[[nodiscard]] std::string encode(std::span<const event::FieldValue> fields);

/// What a field holds: the place of its alternative in FieldValue::Value.
enum class EncodedKind : std::uint8_t {
  kNull,
  kBoolean,
  kInteger,
  kNumber,
  kString,
  kStrings,
  kObject
};

/// A field as it was encoded.
struct EncodedField {
  event::Field field;
  EncodedKind kind;
  std::string_view bytes;

  /// Of a kBoolean, kInteger or kNumber.
  template <class T>
  [[nodiscard]] T as() const {
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

/// Before each value. `size` counts the bytes that follow it.
struct FieldHeader {
  event::Field field;
  EncodedKind kind;
  std::uint16_t unused = 0;
  std::uint32_t size;
};
static_assert(sizeof(FieldHeader) == 8);

/// The field that `encoded`, which is not empty, begins with; `encoded` goes on after it. Inline:
/// the writer reads every field of every event more than once.
[[nodiscard]] inline EncodedField take_field(std::string_view& encoded) {
  FieldHeader header;
  std::memcpy(&header, encoded.data(), sizeof header);
  const EncodedField field{.field = header.field,
                           .kind = header.kind,
                           .bytes = {encoded.data() + sizeof header, header.size}};
  encoded.remove_prefix(sizeof header + header.size);
  return field;
}
void append_encoded(std::string& out, const EncodedField& field);

/// The string that `bytes`, those of a kStrings and not empty, begin with.
[[nodiscard]] std::string_view take_string(std::string_view& bytes);

}  // namespace weir::record
