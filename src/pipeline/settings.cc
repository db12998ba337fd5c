#include "pipeline/settings.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "pipeline/reference.h"

namespace weir::pipeline {
namespace {

using Kind = tool::Setting::Kind;

std::string name_of(const tool::ToolSpec& spec) { return spec.plugin_id + "." + spec.tool_id; }

bool is_text(const json::Value& value) { return value.string() != nullptr; }

bool is_of_kind(const json::Value& value, Kind kind) {
  const auto* items = value.array();
  switch (kind) {
    case Kind::kString:
      return is_text(value);
    case Kind::kInteger:
      return value.integer() != nullptr && *value.integer() >= 0;
    case Kind::kStrings:
      return items != nullptr && !items->empty() &&
             std::all_of(items->begin(), items->end(), is_text);
    case Kind::kNumber:
      return value.kind() == "a number";
    case Kind::kBoolean:
      return value.boolean() != nullptr;
    case Kind::kObject:
      return value.object() != nullptr;
    case Kind::kAny:
      return true;
  }
  return false;
}

std::string wrong_kind(const tool::Setting& setting, const tool::ToolSpec& spec) {
  static constexpr std::array<std::string_view, 7> kWords = {"a string",
                                                             "a list of one or more strings",
                                                             "a whole number from 0",
                                                             "a number",
                                                             "true or false",
                                                             "an object",
                                                             "any value"};
  return "'" + setting.name + "' of " + name_of(spec) + " must be " +
         std::string(kWords[static_cast<std::size_t>(setting.kind)]);
}

json::Value as_text(const json::Value& value) {
  const bool is_scalar =
      !value.is_null() && !is_text(value) && value.array() == nullptr && value.object() == nullptr;
  return is_scalar ? json::Value(json::to_text(value)) : value;
}

json::Value fitted(const json::Value& value, Kind kind) {
  if (kind == Kind::kString) return as_text(value);
  if (kind != Kind::kStrings || value.array() == nullptr) return value;
  json::Array items;
  for (const auto& item : *value.array()) items.push_back(as_text(item));
  return items;
}

}  // namespace

bool is_whole_reference(const json::Value& value) {
  if (!is_text(value) || !value.string()->starts_with("${")) return false;
  const auto pieces = parse_text(*value.string());
  return pieces && pieces->size() == 1 && std::holds_alternative<Reference>(pieces->front());
}

std::vector<Problem> settings_problems(const json::Object& with, json::Position position,
                                       const tool::ToolSpec& spec) {
  std::vector<Problem> problems;
  std::vector<std::string> known;
  for (const auto& setting : spec.settings) {
    known.push_back(setting.name);
    const auto* value = with.find(setting.name);
    if (value == nullptr && setting.required) {
      problems.push_back({position, name_of(spec) + " needs '" + setting.name + "' in 'with'"});
    }
    if (value != nullptr && !is_of_kind(*value, setting.kind) && !is_whole_reference(*value)) {
      problems.push_back({value->position, wrong_kind(setting, spec)});
    }
  }
  for (const auto& member : with) {
    if (std::find(known.begin(), known.end(), member.key) == known.end() && !known.empty()) {
      problems.push_back({member.position, name_of(spec) + " has no setting '" + member.key + "'" +
                                               text::did_you_mean(member.key, known)});
    }
  }
  return problems;
}

Result<json::Object> settings_for(const tool::ToolSpec& spec, json::Object resolved) {
  for (const auto& setting : spec.settings) {
    const auto* value = resolved.find(setting.name);
    if (value == nullptr) continue;
    auto fit = fitted(*value, setting.kind);
    if (!is_of_kind(fit, setting.kind)) {
      return fail(
          ErrorCode::kInvalidInput,
          wrong_kind(setting, spec) + ", its references make it " + std::string(value->kind()));
    }
    resolved.set(setting.name, std::move(fit));
  }
  return resolved;
}

}  // namespace weir::pipeline
