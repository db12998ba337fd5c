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
  const auto word = tag_word(*object);
  const auto is_known = [&](const KeyInfo& key) { return word.empty() || is_for(key, word); };
  for (const auto& key : keys) {
    const bool needed = key.options.required && is_for(key, word);
    if (needed && object->find(key.name) == nullptr) {
      problems.add(value.position, "'" + key.name + "' is missing: " + key.what + " is expected");
    }
  }
  for (const auto& member : *object) {
    if (problems.full()) return;  // a search for the word meant takes time
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const KeyInfo& one) { return one.name == member.key; });
    const auto same = [&](const json::Member& other) { return other.key == member.key; };
    if (std::any_of(object->begin(), &member, same)) {  // few: unknown keys are problems
      problems.add(member.position, "'" + member.key + "' is given twice");
    } else if (key == keys.end()) {
      problems.add(member.position,
                   "unknown key '" + member.key + "'" + hint(member.key, is_known));
    } else if (!is_known(*key)) {
      problems.add(member.position, "'" + member.key + "' is not for '" + tag + ": " + word + "'");
    }
  }
}

std::string KeyTable::tag_word(const json::Object& object) const {
  const auto* value = object.find(tag);
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const KeyInfo& one) { return one.name == tag; });
  if (value == nullptr || key == keys.end()) return {};
  auto word = word_in(*value);
  const auto& words = *key->schema.find("enum")->array();
  const bool is_one = std::find(words.begin(), words.end(), json::Value(word)) != words.end();
  return is_one ? word : "";
}

std::string KeyTable::hint(std::string_view word,
                           const std::function<bool(const KeyInfo&)>& is_known) const {
  constexpr std::size_t kMaxListed = 12;
  std::vector<std::string> names;
  for (const auto& key : keys) {
    if (is_known(key)) names.push_back(key.name);
  }
  auto hint = text::did_you_mean(word, names);
  if (names.size() <= kMaxListed) hint += " (known: " + text::join(names) + ")";
  return hint;
}

bool KeyTable::may_be_null() const {
  return rules.empty() && std::none_of(keys.begin(), keys.end(),
                                       [](const KeyInfo& key) { return key.options.required; });
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
  schema.set("type", may_be_null() ? json::Value(json::Array{"object", "null"}) : "object");
  if (!required.empty()) schema.set("required", std::move(required));
  schema.set("properties", std::move(properties));
  schema.set("additionalProperties", false);
  json::Array branches;
  for (const auto& word : words) {
    auto consequence = rules_for(keys, word);
    if (consequence.empty()) continue;
    json::Object branch;
    auto condition = object_of("properties", object_of(tag.c_str(), object_of("const", word)));
    condition.set("required", json::Array{tag});
    branch.set("if", std::move(condition));
    branch.set("then", std::move(consequence));
    branches.emplace_back(std::move(branch));
  }
  if (!branches.empty()) schema.set("allOf", std::move(branches));
  schema.update(rules);
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
