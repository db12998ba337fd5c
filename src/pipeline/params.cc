#include "pipeline/params.h"

#include <array>
#include <utility>

#include "base/text.h"

namespace weir::pipeline {
namespace {

constexpr std::array<std::string_view, 6> kTypeWords = {"string",  "integer", "number",
                                                        "boolean", "object",  "list"};

bool is_whole(const json::Value& value) {
  return value.integer() != nullptr || std::holds_alternative<std::uint64_t>(value.variant());
}

std::vector<std::string> names_of(const Params& params) {
  std::vector<std::string> names;
  for (const auto& [name, param] : params) names.push_back(name);
  return names;
}

}  // namespace

std::string_view to_string(ParamType type) { return kTypeWords[static_cast<std::size_t>(type)]; }

bool is_of_type(const json::Value& value, ParamType type) {
  switch (type) {
    case ParamType::kString:
      return value.string() != nullptr;
    case ParamType::kInteger:
      return is_whole(value);
    case ParamType::kNumber:
      return is_whole(value) || std::holds_alternative<double>(value.variant());
    case ParamType::kBoolean:
      return value.boolean() != nullptr;
    case ParamType::kObject:
      return value.object() != nullptr;
    case ParamType::kList:
      return value.array() != nullptr;
  }
  return false;
}

json::Value param_value(const Param& param, std::string_view text) {
  if (auto value = json::parse(text); value && is_of_type(*value, param.type)) {
    return *std::move(value);
  }
  return text;
}

std::vector<Problem> params_problems(const Params& params, const json::Object& given,
                                     bool (*is_unknown)(const json::Value&)) {
  std::vector<Problem> problems;
  for (const auto& [name, value, position] : given) {
    const auto param = params.find(name);
    if (param == params.end()) {
      const auto known = names_of(params);
      problems.push_back({position, "the pipeline has no parameter '" + name + "'" +
                                        text::did_you_mean(name, known) + " (known: " +
                                        (known.empty() ? "none" : text::join(known)) + ")"});
    } else if ((is_unknown == nullptr || !is_unknown(value)) &&
               !is_of_type(value, param->second.type)) {
      problems.push_back({position, "parameter '" + name + "' is " + std::string(value.kind()) +
                                        ", its type is " +
                                        std::string(to_string(param->second.type))});
    }
  }
  for (const auto& [name, param] : params) {
    if (!param.required || given.find(name) != nullptr) continue;
    problems.push_back({{}, "parameter '" + name + "' is not given, and has no default"});
  }
  return problems;
}

std::expected<json::Object, std::vector<Problem>> bind(const Params& params,
                                                       const json::Object& given) {
  if (auto problems = params_problems(params, given); !problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  json::Object bound;
  for (const auto& [name, param] : params) {
    const auto* value = given.find(name);
    bound.append(
        {.key = name, .value = value != nullptr ? *value : param.fallback.value_or(json::Value())});
  }
  return bound;
}

}  // namespace weir::pipeline
