#include "config/object.h"

#include <set>

#include "base/text.h"

namespace weir::config {
namespace {

/// In texts for people: an absent default is none.
std::string default_text(const json::Value& value) {
  if (value.is_null() || value.object() != nullptr) return {};
  if (const auto* list = value.array()) {
    std::string text;
    for (const auto& item : *list) text += (text.empty() ? "" : ", ") + default_text(item);
    return text;
  }
  return "`" + (value.string() != nullptr ? *value.string() : json::to_text(value)) + "`";
}

/// The word of the tag if it is one; empty: nothing is known of it, and it was complained of.
std::string tag_word(const json::Object& object, const std::string& tag) {
  const auto* word = object.find(tag);
  return word == nullptr ? "" : word_in(*word);
}

json::Object object_of(const char* key, json::Value value) {
  json::Object object;
  object.set(key, std::move(value));
  return object;
}

/// What a schema says beside the keys: which are needed, and which must not be there, with `word`.
json::Object rules_for(const std::vector<KeyInfo>& keys, const std::string& word) {
  json::Array required;
  json::Object forbidden;
  for (const auto& key : keys) {
    if (key.options.only_for.empty()) continue;
    if (!is_for(key, word)) {
      forbidden.set(key.name, false);
    } else if (key.options.required) {
      required.emplace_back(key.name);
    }
  }
  json::Object rules;
  if (!required.empty()) rules.set("required", std::move(required));
  if (!forbidden.empty()) rules.set("properties", std::move(forbidden));
  return rules;
}

}  // namespace

bool is_for(const KeyInfo& key, std::string_view tag_word) {
  const auto& words = key.options.only_for;
  return words.empty() || std::find(words.begin(), words.end(), tag_word) != words.end();
}

json::Position position_of(const json::Value& object, std::string_view key) {
  const auto* value = object.object() == nullptr ? nullptr : object.object()->find(key);
  return value == nullptr ? object.position : value->position;
}

void KeyTable::check(const json::Value& value, const Place& place) const {
  auto& problems = *place.problems;
  const auto* object = value.object();
  if (object == nullptr)
    return problems.add(value.position, wrong_value(place, value, "an object"));
  const auto word = tag_word(*object, tag);
  std::vector<std::string> names;
  for (const auto& key : keys) {
    if (!word.empty() && !is_for(key, word)) continue;
    names.push_back(key.name);
    const bool needed = key.options.required && (is_for(key, word));
    if (needed && object->find(key.name) == nullptr) {
      problems.add(value.position, "'" + key.name + "' is missing: " + key.what + " is expected");
    }
  }
  std::set<std::string_view> seen;
  for (const auto& member : *object) {
    if (problems.full()) return;  // a search for the word meant takes time
    if (!seen.insert(member.key).second) {
      problems.add(member.position, "'" + member.key + "' is given twice");
    } else if (std::find(names.begin(), names.end(), member.key) == names.end()) {
      const auto same = [&](const KeyInfo& key) { return key.name == member.key; };
      const bool is_other = std::any_of(keys.begin(), keys.end(), same);
      problems.add(member.position,
                   is_other ? "'" + member.key + "' is not for '" + tag + ": " + word + "'"
                            : "unknown key '" + member.key + "'" +
                                  text::did_you_mean(member.key, names) +
                                  " (known: " + text::join(names) + ")");
    }
  }
}

json::Object KeyTable::schema() const {
  json::Array required;
  json::Object properties;
  std::set<std::string> words;
  for (const auto& key : keys) {
    if (key.options.required && key.options.only_for.empty()) required.emplace_back(key.name);
    words.insert(key.options.only_for.begin(), key.options.only_for.end());
    if (key.name == tag) {
      for (const auto& word : *key.schema.find("enum")->array()) words.insert(word_in(word));
    }
    auto schema = key.schema;
    schema.set("description", key.doc);
    properties.append({key.name, std::move(schema)});
  }
  json::Object schema;
  schema.set("type", json::Array{"object", "null"});
  if (!required.empty()) schema.set("required", std::move(required));
  schema.set("properties", std::move(properties));
  schema.set("additionalProperties", false);
  json::Array branches;
  for (const auto& word : words) {
    auto rules = rules_for(keys, word);
    if (rules.empty()) continue;
    json::Object branch;
    branch.set("if", object_of("properties", object_of(tag.c_str(), object_of("const", word))));
    branch.set("then", std::move(rules));
    branches.emplace_back(std::move(branch));
  }
  if (!branches.empty()) schema.set("allOf", std::move(branches));
  return schema;
}

std::vector<Row> KeyTable::rows(const json::Object& defaults) const {
  std::vector<Row> rows;
  for (const auto& key : keys) {
    Row row{.path = key.name,
            .what = key.what,
            .fallback = key.options.fallback,
            .variable = key.options.variable,
            .variable_path = key.options.variable_path,
            .doc = key.doc};
    if (key.options.required) row.fallback = "required";
    if (row.fallback.empty()) row.fallback = default_text(*defaults.find(key.name));
    if (!key.options.only_for.empty()) {
      row.doc = "*" + text::join(key.options.only_for) + ":* " + row.doc;
    }
    rows.push_back(std::move(row));
    for (auto inside : key.rows) {
      const bool is_item = inside.path.starts_with('[') || inside.path.starts_with('.');
      inside.path.insert(0, key.name + (is_item ? "" : "."));
      rows.push_back(std::move(inside));
    }
  }
  return rows;
}

}  // namespace weir::config
