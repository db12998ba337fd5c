#include "event/field_type.h"

#include <cstddef>

namespace weir::event {

std::string_view to_words(FieldType type) {
  static constexpr std::string_view kWords[] = {"a string",  "a whole number", "a number",
                                                "a boolean", "a date-time",    "a list of strings",
                                                "an object"};
  return kWords[static_cast<std::size_t>(type)];
}

}  // namespace weir::event
