#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

/// JSON pointers (RFC 6901) and merge patches (RFC 7396).
namespace weir::plugins {

/// The keys of "/a/b~1c/0". Errors: kInvalidInput.
[[nodiscard]] Result<std::vector<std::string>> parse_pointer(std::string_view pointer);

/// What is there. Errors: kNotFound, naming how far the pointer leads.
[[nodiscard]] Result<json::Value> value_at(const json::Value& document, std::string_view pointer);

/// The document with `value` there. Objects that are missing on the way are made; in a list the
/// place must be there, or be "-", its end. Errors: kInvalidInput, kNotFound.
[[nodiscard]] Result<json::Value> with_value_at(json::Value document, std::string_view pointer,
                                                json::Value value);

/// Members of `patch` replace those of `target`, objects are merged, null removes.
[[nodiscard]] json::Value merge_patch(const json::Value& target, const json::Value& patch);

}  // namespace weir::plugins
