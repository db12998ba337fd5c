#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

/// What all JSON of this module says in the same way: absent is null.
namespace weir::report {

[[nodiscard]] inline json::Value text_or_null(std::string_view text) {
  return text.empty() ? json::Value() : json::Value(text);
}

template <class T>
[[nodiscard]] json::Value or_null(const std::optional<T>& value) {
  return value ? json::Value(*value) : json::Value();
}

[[nodiscard]] inline json::Array array_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

template <class T, class Convert>
[[nodiscard]] json::Array array_of(const std::vector<T>& items, const Convert& convert) {
  json::Array array;
  array.reserve(items.size());
  for (const auto& item : items) array.emplace_back(convert(item));
  return array;
}

}  // namespace weir::report
