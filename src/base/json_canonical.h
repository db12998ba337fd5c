#pragma once

#include <string>

#include "base/json.h"

namespace weir::json {

/// `value` as RFC 8785 (JCS) writes it: one text for equal values, to be hashed. Members are sorted
/// by the UTF-16 code units of their keys, numbers are written as ECMAScript does. Errors:
/// kInvalidInput for what that RFC does not allow (I-JSON): a number that is no double, a key given
/// twice, bytes that are not UTF-8.
[[nodiscard]] Result<std::string> canonical_text(const Value& value);

}  // namespace weir::json
