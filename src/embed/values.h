#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "weir/field.h"

/// Values of programs as JSON.
namespace weir::embed {

/// Of a list of texts or a JSON text: more is refused.
inline constexpr std::size_t kMaxListBytes = std::size_t{1} << 20;

/// Errors: kInvalidInput, kExhausted over kMaxListBytes.
[[nodiscard]] Result<json::Value> to_json(const Value& value);
/// Appends the same as text; what needs no parsing does not allocate but to grow.
[[nodiscard]] Result<void> append_json(std::string& out, const Value& value);
/// Appends an object's JSON text as one line. Errors: as to_json.
[[nodiscard]] Result<void> append_object(std::string& out, Json object);

[[nodiscard]] Result<void> check_size(Strings strings);

/// With the resolution of events.
[[nodiscard]] std::optional<Timestamp> to_timestamp(
    const std::optional<std::chrono::system_clock::time_point>& time);

/// What cannot be said as JSON is said as a text about it.
[[nodiscard]] json::Value json_or_error(const Value& value);
/// The name of a field of the catalogue, or an attribute's.
[[nodiscard]] std::string_view key_of(const Field& field);
/// All of them under their names.
[[nodiscard]] json::Object to_object(Fields fields);

}  // namespace weir::embed
