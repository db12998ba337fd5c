#pragma once

#include <string_view>

#include "base/json_flat.h"
#include "event/catalogue.h"

namespace weir::event {

/// Whether a member's value is one of a field of this type; a whole number is a number too. Null is
/// of no type. Inline: it is asked for every field of every event that is read.
[[nodiscard]] inline bool is_of(FieldType type, const json::FlatMember& member) {
  switch (type) {
    case FieldType::kString:
    case FieldType::kTimestamp:
      return member.kind == json::Kind::kString;
    case FieldType::kInteger:
      return member.kind == json::Kind::kInteger;
    case FieldType::kNumber:
      return member.kind == json::Kind::kNumber || member.kind == json::Kind::kInteger;
    case FieldType::kBoolean:
      return member.kind == json::Kind::kBoolean;
    case FieldType::kStrings:
      return member.kind == json::Kind::kArray && member.all_strings;
    case FieldType::kObject:
      return member.kind == json::Kind::kObject;
  }
  return false;
}

/// "a string", "a list of strings", … as messages name it.
[[nodiscard]] std::string_view to_words(FieldType type);

}  // namespace weir::event
