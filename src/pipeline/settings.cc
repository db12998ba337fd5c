#include "pipeline/settings.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "pipeline/reference.h"

namespace weir::pipeline {
namespace {

using tool::Setting;
using Kind = Setting::Kind;

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
    case Kind::kStringsByName:
    case Kind::kObject:
      return value.object() != nullptr;
    case Kind::kAny:
      return true;
  }
  return false;
}

/// A value that must be of a kind: of a setting, or of a name in it.
struct Part {
  std::string name;  ///< "env", "env.HOME"
  Kind kind;
  const json::Value& value;
};

std::vector<Part> parts_of(const Setting& setting, const json::Value& value) {
  std::vector<Part> parts = {{setting.name, setting.kind, value}};
  if (setting.kind != Kind::kStringsByName || value.object() == nullptr) return parts;
  for (const auto& member : *value.object()) {
    parts.push_back({setting.name + "." + member.key, Kind::kString, member.value});
  }
  return parts;
}

std::string wrong_kind(const Part& part, const tool::ToolSpec& spec) {
  return "'" + part.name + "' of " + spec.name() + " must be " + std::string(to_string(part.kind));
}

/// Of the names in a setting: what they are not, or that one is there twice.
std::vector<Problem> name_problems(const Setting& setting, const json::Value& value,
                                   const tool::ToolSpec& spec) {
  std::vector<Problem> problems;
  if (!setting.names || value.object() == nullptr) return problems;
  std::set<std::string_view> seen;
  for (const auto& [name, text, position] : *value.object()) {
    const auto where = "'" + name + "' in '" + setting.name + "' of " + spec.name();
    if (!seen.insert(name).second) {
      problems.push_back({position, where + " is given twice"});
    } else if (name.size() > setting.names->max_bytes || !setting.names->accepts(name)) {
      problems.push_back({position, where + " is not " + setting.names->what});
    }
  }
  return problems;
}

json::Value as_text(const json::Value& value) {
  const bool is_scalar =
      !value.is_null() && !is_text(value) && value.array() == nullptr && value.object() == nullptr;
  return is_scalar ? json::Value(json::to_text(value)) : value;
}

json::Value fitted(const json::Value& value, Kind kind) {
  if (kind == Kind::kString) return as_text(value);
  if (kind == Kind::kStrings && value.array() != nullptr) {
    json::Array items;
    for (const auto& item : *value.array()) items.push_back(as_text(item));
    return items;
  }
  if (kind == Kind::kStringsByName && value.object() != nullptr) {
    json::Object texts;
    for (const auto& [name, text, position] : *value.object()) texts.append({name, as_text(text)});
    return texts;
  }
  return value;
}

Problem unknown_setting(const json::Member& member, const std::vector<std::string>& known,
                        const tool::ToolSpec& spec) {
  return {member.position, spec.name() + " has no setting '" + member.key + "'" +
                               text::did_you_mean(member.key, known) +
                               " (known: " + text::join(known) + ")"};
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
    if (value == nullptr) {
      if (!setting.required) continue;
      problems.push_back({position, spec.name() + " needs '" + setting.name + "' in 'with'"});
      continue;
    }
    for (const auto& part : parts_of(setting, *value)) {
      if (is_of_kind(part.value, part.kind) || is_whole_reference(part.value)) continue;
      problems.push_back({part.value.position, wrong_kind(part, spec)});
    }
    std::ranges::move(name_problems(setting, *value, spec), std::back_inserter(problems));
  }
  for (const auto& member : with) {
    if (known.empty() || std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    problems.push_back(unknown_setting(member, known, spec));
  }
  return problems;
}

Result<json::Object> settings_for(const tool::ToolSpec& spec, json::Object resolved) {
  for (const auto& setting : spec.settings) {
    const auto* value = resolved.find(setting.name);
    if (value == nullptr) continue;
    auto fit = fitted(*value, setting.kind);
    for (const auto& part : parts_of(setting, fit)) {
      if (is_of_kind(part.value, part.kind)) continue;
      return fail(ErrorCode::kInvalidInput, wrong_kind(part, spec) + ", its references make it " +
                                                std::string(part.value.kind()));
    }
    if (const auto wrong = name_problems(setting, fit, spec); !wrong.empty()) {
      return fail(ErrorCode::kInvalidInput, wrong.front().message);
    }
    resolved.set(setting.name, std::move(fit));
  }
  return resolved;
}

}  // namespace weir::pipeline
