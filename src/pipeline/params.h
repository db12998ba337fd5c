#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/problem.h"

namespace weir::pipeline {

enum class ParamType : std::uint8_t { kString, kInteger, kNumber, kBoolean, kObject, kList };
[[nodiscard]] std::string_view to_string(ParamType type);

/// What a pipeline lets each of its runs choose.
struct Param {
  ParamType type = ParamType::kString;
  std::optional<json::Value> fallback;  ///< `default` in the file
  bool required = false;                ///< each run must give it
  std::string description;
  json::Position position{};
};
using Params = std::map<std::string, Param, std::less<>>;

/// Whether a value is of the type. A whole number is a number, too.
[[nodiscard]] bool is_of_type(const json::Value& value, ParamType type);

/// What a person means who writes `text` for this parameter: JSON if that is a value of its type,
/// else the text itself, of which `bind` complains where it is wrong.
[[nodiscard]] json::Value param_value(const Param& param, std::string_view text);

/// Everything that is wrong with what is given: names that the pipeline does not have, values of
/// another type, what is missing. Of a value that `is_unknown` (null: none is) any type is right.
[[nodiscard]] std::vector<Problem> params_problems(
    const Params& params, const json::Object& given,
    bool (*is_unknown)(const json::Value&) = nullptr);

/// The parameters of a run: what is given, else the default, else null. Or params_problems.
[[nodiscard]] std::expected<json::Object, std::vector<Problem>> bind(const Params& params,
                                                                     const json::Object& given);

}  // namespace weir::pipeline
