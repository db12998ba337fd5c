#pragma once

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

/// Whether the value is of the field's type; numbers may be whole, kNullable may be null. Inline:
/// it is asked for every field on the hot path.
[[nodiscard]] inline bool fits(const FieldValue& value) {
  // The alternatives of FieldValue::Value, one bit each: null, bool, int64, double, string,
  // strings, object. By FieldType.
  constexpr unsigned kAllowed[] = {1U << 4, 1U << 2, 1U << 2 | 1U << 3, 1U << 1, 1U << 4,
                                   1U << 5, 1U << 6};
  const auto type = kFieldTypes[static_cast<std::size_t>(value.field)];
  const auto held = 1U << value.value.index();
  return (kAllowed[static_cast<std::size_t>(type)] & held) != 0 ||
         (value.value.index() == 0 && value.field == kNullable);
}

}  // namespace weir::event
