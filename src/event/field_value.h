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

/// Whether the value is of the field's type; numbers may be whole, kNullable may be null.
[[nodiscard]] bool fits(const FieldValue& value);

}  // namespace weir::event
