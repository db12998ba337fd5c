#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// Messages with places for values. std::format would do, but g++ 12 has none.
namespace weir::record {

/// Views are read before the call that takes them returns.
using MessageValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

template <class T>
concept FormatArgument = std::is_arithmetic_v<T> || std::convertible_to<const T&, std::string_view>;

template <FormatArgument T>
[[nodiscard]] MessageValue to_message_value(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    return value;
  } else if constexpr (std::same_as<T, char>) {
    return std::string_view(&value, 1);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_arithmetic_v<T> && std::is_signed_v<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<std::uint64_t>(value);
  } else {
    return std::string_view(value);
  }
}

/// `format` with its n-th `{}` replaced by the n-th value; `{{` and `}}` are braces. A place
/// without a value stays, values without a place follow at the end: nothing is an error, nothing is
/// lost. Of more than `limit` bytes the rest is not looked at.
[[nodiscard]] std::string format_message(std::string_view format,
                                         std::span<const MessageValue> values, std::size_t limit);

}  // namespace weir::record
