#include "engine/mode_around.h"

namespace weir::engine {
namespace {

std::vector<std::string> patterns_in(const json::Object& mode, std::string_view key) {
  std::vector<std::string> patterns;
  const auto* list = mode.find(key);
  if (list == nullptr || list->array() == nullptr) return patterns;
  for (const auto& one : *list->array()) {
    if (one.string() != nullptr) patterns.push_back(*one.string());
  }
  return patterns;
}

}  // namespace

json::Array to_json(std::span<const ModeAround> modes) {
  json::Array list;
  for (const auto& mode : modes) {
    json::Object one;
    one.set("name", mode.name);
    one.set("allow", json::Array(mode.rules.allow.begin(), mode.rules.allow.end()));
    one.set("deny", json::Array(mode.rules.deny.begin(), mode.rules.deny.end()));
    list.emplace_back(std::move(one));
  }
  return list;
}

std::vector<ModeAround> read_modes(const json::Value& value) {
  std::vector<ModeAround> modes;
  if (value.array() == nullptr) return modes;
  for (const auto& one : *value.array()) {
    const auto* mode = one.object();
    const auto* name = mode == nullptr ? nullptr : mode->find("name");
    if (name == nullptr || name->string() == nullptr) continue;
    modes.push_back({.name = *name->string(),
                     .rules = {.allow = patterns_in(*mode, "allow"),
                               .deny = patterns_in(*mode, "deny"),
                               .position = {}}});
  }
  return modes;
}

}  // namespace weir::engine
