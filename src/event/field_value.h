#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "event/catalogue.h"

namespace weir::event {

/// JSON text of an object, known to be valid.
struct ObjectText {
  std::string_view json;
};

/// What a producer says of one field: views, read before the call that takes them returns.
struct FieldValue {
  using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view,
                             std::span<const std::string>, ObjectText>;
  Field field;
  Value value;
};

/// By Field, one bit for each alternative of FieldValue::Value that it may hold: null, bool, int64,
/// double, string, strings, object. By field and not by type: one look on the hot path.
inline constexpr auto kHolds = [] {
  // By FieldType.
  constexpr unsigned kOfType[] = {1U << 4, 1U << 2, 1U << 2 | 1U << 3, 1U << 1, 1U << 4,
                                  1U << 5, 1U << 6};
  std::array<std::uint8_t, kFieldCount> holds{};
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    holds[i] = static_cast<std::uint8_t>(kOfType[static_cast<std::size_t>(kFieldTypes[i])]);
  }
  holds[static_cast<std::size_t>(kNullable)] |= 1U;
  return holds;
}();

/// Whether the value is of the field's type; numbers may be whole, kNullable may be null. Inline:
/// it is asked for every field on the hot path.
[[nodiscard]] inline bool fits(const FieldValue& value) {
  return (kHolds[static_cast<std::size_t>(value.field)] >> value.value.index() & 1U) != 0;
}

}  // namespace weir::event
