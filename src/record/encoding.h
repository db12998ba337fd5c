#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "event/field_value.h"

/// How an event's fields cross from the thread that says them to the thread that writes them: bytes
/// that cost the first one a few copies, and that the second one turns into JSON. In memory only.
namespace weir::record {

/// More fields than any event has; the writer sorts them on its stack.
inline constexpr std::size_t kMaxFields = 128;

/// Escaping makes six bytes of one at the most, and there are fewer than 128 fields.
inline constexpr std::size_t kMaxCutValue = std::size_t{4} << 10;

/// A longer string is cut when it is encoded: its line would be cut anyway.
inline constexpr std::size_t kMaxString = std::size_t{4} << 20;

/// The bytes that `encode` will write.
[[nodiscard]] std::size_t encoded_size(std::span<const event::FieldValue> fields);

/// Writes encoded_size(fields) bytes. Each value must fit its field.
void encode(std::span<const event::FieldValue> fields, std::byte* out);

/// A member of a line that is ready to be written: `,"name":value`.
struct RenderedField {
  event::Field field;
  std::string text;
};

/// Appends `encoded` and `constants` as members of a line in the order of the catalogue.
/// `constants` are in that order already; what the event says itself wins over them.
void append_members(std::string& out, std::span<const std::byte> encoded,
                    std::span<const RenderedField> constants);

/// The same for an event whose line would be too long: strings are cut to kMaxCutValue, longer
/// lists and objects are emptied, and `attributes` gets the member `cut_bytes`, which says how long
/// each was. With any fields it makes less than log::kMaxEventBytes.
void append_cut_members(std::string& out, std::span<const std::byte> encoded,
                        std::span<const RenderedField> constants);

[[nodiscard]] RenderedField render(const event::FieldValue& field);

}  // namespace weir::record
