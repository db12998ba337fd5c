#include "event/field_value.h"

namespace weir::event {

bool fits(const FieldValue& value) {
  const auto& held = value.value;
  if (std::holds_alternative<std::nullptr_t>(held)) return value.field == kNullable;
  switch (info(value.field).type) {
    case FieldType::kString:
    case FieldType::kTimestamp:
      return std::holds_alternative<std::string_view>(held);
    case FieldType::kInteger:
      return std::holds_alternative<std::int64_t>(held);
    case FieldType::kNumber:
      return std::holds_alternative<double>(held) || std::holds_alternative<std::int64_t>(held);
    case FieldType::kBoolean:
      return std::holds_alternative<bool>(held);
    case FieldType::kStrings:
      return std::holds_alternative<std::span<const std::string>>(held);
    case FieldType::kObject:
      return std::holds_alternative<ObjectText>(held);
  }
  return false;
}

}  // namespace weir::event
