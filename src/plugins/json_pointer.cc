#include "plugins/json_pointer.h"

#include <charconv>
#include <optional>
#include <span>

namespace weir::plugins {
namespace {

using Keys = std::span<const std::string>;

/// RFC 6901, section 4: digits without a leading zero.
std::optional<std::size_t> index_of(std::string_view key) {
  std::size_t index = 0;
  const auto* end = key.data() + key.size();
  const auto [rest, error] = std::from_chars(key.data(), end, index);
  const bool is_index = error == std::errc() && rest == end && (key.size() == 1 || key[0] != '0');
  return is_index ? std::optional(index) : std::nullopt;
}

std::unexpected<Error> fail_at(ErrorCode code, const std::string& key, std::string_view why) {
  return fail(code, "'" + key + "': " + std::string(why));
}

Result<json::Value> set_at(json::Value document, Keys keys, json::Value value) {
  if (keys.empty()) return value;
  const auto& key = keys.front();
  if (const auto* list = document.array()) {
    const auto index = key == "-" ? list->size() : index_of(key).value_or(list->size() + 1);
    if (index > list->size())
      return fail_at(ErrorCode::kNotFound, key, "the list has no such place");
    auto changed = *list;
    if (index == changed.size()) changed.emplace_back(json::Object());
    WEIR_TRY(changed[index], set_at(changed[index], keys.subspan(1), std::move(value)));
    return json::Value(std::move(changed));
  }
  if (document.is_null()) document = json::Object();
  auto* object = document.object();
  if (object == nullptr) {
    return fail_at(ErrorCode::kInvalidInput, key, "it would be in " + std::string(document.kind()));
  }
  const auto* inner = object->find(key);
  WEIR_TRY(auto changed,
           set_at(inner == nullptr ? json::Value() : *inner, keys.subspan(1), std::move(value)));
  object->set(key, std::move(changed));
  return document;
}

}  // namespace

Result<std::vector<std::string>> parse_pointer(std::string_view pointer) {
  std::vector<std::string> keys;
  if (!pointer.empty() && pointer.front() != '/') {
    return fail(ErrorCode::kInvalidInput,
                "'" + std::string(pointer) + "' is no JSON pointer: it begins with '/', as /a/0/b");
  }
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      keys.emplace_back();
    } else if (pointer[i] != '~') {
      keys.back() += pointer[i];
    } else if (const auto name = pointer.substr(i + 1, 1); name == "0" || name == "1") {
      keys.back() += name == "0" ? '~' : '/';
      ++i;
    } else {
      return fail(ErrorCode::kInvalidInput,
                  "'" + std::string(pointer) +
                      "' is no JSON pointer: after '~' comes 0 for '~' or "
                      "1 for '/'");
    }
  }
  return keys;
}

Result<json::Value> value_at(const json::Value& document, std::string_view pointer) {
  WEIR_TRY(const auto keys, parse_pointer(pointer));
  const auto* value = &document;
  for (const auto& key : keys) {
    const json::Value* inner = nullptr;
    if (value->object() != nullptr) inner = value->object()->find(key);
    if (const auto* list = value->array()) {
      const auto index = index_of(key);
      if (index && *index < list->size()) inner = &(*list)[*index];
    }
    if (inner == nullptr) {
      return fail_at(ErrorCode::kNotFound, key, std::string(value->kind()) + " has none");
    }
    value = inner;
  }
  return *value;
}

Result<json::Value> with_value_at(json::Value document, std::string_view pointer,
                                  json::Value value) {
  WEIR_TRY(const auto keys, parse_pointer(pointer));
  return set_at(std::move(document), keys, std::move(value));
}

json::Value merge_patch(const json::Value& target, const json::Value& patch) {
  const auto* changes = patch.object();
  if (changes == nullptr) return patch;
  json::Object result;
  if (const auto* members = target.object()) {
    for (const auto& member : *members) {
      const auto* change = changes->find(member.key);
      if (change != nullptr && change->is_null()) continue;
      result.set(member.key, change == nullptr ? member.value : merge_patch(member.value, *change));
    }
  }
  for (const auto& [key, change, position] : *changes) {
    if (!change.is_null() && result.find(key) == nullptr) result.set(key, merge_patch({}, change));
  }
  return result;
}

}  // namespace weir::plugins
