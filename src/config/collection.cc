#include "config/collection.h"

#include <set>

namespace weir::config {
namespace {

/// To the problem of a word in the place of a list: how it is written.
std::string as_list(const Place& place, const json::Value& value) {
  constexpr std::size_t kMaxShown = 64;
  const auto* text = value.string();
  if (text == nullptr || text->size() > kMaxShown) return {};
  return ": write " + place.key + ": [" + *text + "]";
}

}  // namespace

const json::Array* items_of(const json::Value& value, const ListLimits& limits,
                            const Place& place) {
  static const json::Array none;
  const auto* items = value.is_null() ? &none : value.array();
  if (items == nullptr || items->size() < limits.min_items) {
    const auto* const what = limits.min_items == 0 ? "a list" : "a list of one or more";
    place.problems->add(value.position, wrong_value(place, value, what) + as_list(place, value));
    return nullptr;
  }
  if (items->size() > limits.max_items) {
    place.problems->add(value.position, "'" + place.key + "' has more than " +
                                            std::to_string(limits.max_items) + " items");
    return nullptr;
  }
  return items;
}

json::Object list_schema(const json::Object& items, const ListLimits& limits) {
  json::Object schema;
  schema.set("type", limits.min_items == 0 ? json::Value(json::Array{"array", "null"})
                                           : json::Value("array"));
  schema.set("items", items);
  if (limits.min_items > 0) schema.set("minItems", static_cast<std::uint64_t>(limits.min_items));
  schema.set("maxItems", static_cast<std::uint64_t>(limits.max_items));
  return schema;
}

std::vector<Row> rows_below(std::string_view prefix, std::vector<Row> rows) {
  for (auto& row : rows) row.path.insert(0, prefix);
  return rows;
}

const json::Object* entries_of(const json::Value& value, const Names& names, const Place& place) {
  auto& problems = *place.problems;
  const auto* entries = value.object();
  if (entries == nullptr) {
    problems.add(value.position, wrong_value(place, value, "an object"));
    return nullptr;
  }
  if (entries->size() > kMaxEntries) {
    problems.add(value.position,
                 "'" + place.key + "' has more than " + std::to_string(kMaxEntries) + " entries");
    return nullptr;
  }
  std::set<std::string_view> seen;
  for (const auto& entry : *entries) {
    if (!seen.insert(entry.key).second) {
      problems.add(entry.position, "'" + entry.key + "' is given twice");
    } else if (entry.key.size() > names.max_bytes || !names.accepts(entry.key)) {
      problems.add(entry.position, "a key of '" + place.key + "' is not " + names.what);
    }
  }
  return entries;
}

json::Object map_schema(const json::Object& values, const Names& names) {
  json::Object name;
  name.set("pattern", names.pattern);
  name.set("maxLength", static_cast<std::uint64_t>(names.max_bytes));
  json::Object schema;
  schema.set("type", json::Array{"object", "null"});
  schema.set("propertyNames", std::move(name));
  schema.set("additionalProperties", values);
  schema.set("maxProperties", static_cast<std::uint64_t>(kMaxEntries));
  return schema;
}

}  // namespace weir::config
