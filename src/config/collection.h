#pragma once

#include <map>
#include <string_view>

#include "config/names.h"
#include "config/object.h"

/// Shapes of lists, and of objects whose keys are names. For the tables of config and pipeline.
namespace weir::config {

struct ListLimits {
  std::size_t max_items = 256;
  std::size_t min_items = 0;
};

/// Whether these are the items of a list, or else complains. Null is a list without items.
[[nodiscard]] const json::Array* items_of(const json::Value& value, const ListLimits& limits,
                                          const Place& place);
[[nodiscard]] json::Object list_schema(const json::Object& items, const ListLimits& limits);
/// The rows of what is inside, `prefix` before each.
[[nodiscard]] std::vector<Row> rows_below(std::string_view prefix, std::vector<Row> rows);

/// `what` in the plural. `check` is called when every item was right.
template <class T>
Shape<std::vector<T>> list(const std::string& what, const Shape<T>& item, ListLimits limits = {},
                           Check<std::vector<T>> check = {}) {
  using List = std::vector<T>;
  auto read = [read = item.read, limits, check = std::move(check)](
                  const json::Value& value, const List* before,
                  const Place& place) -> std::optional<List> {
    if (value.is_null() && before != nullptr && limits.min_items == 0) return *before;
    const auto* items = items_of(value, limits, place);
    if (items == nullptr) return {};
    List result;
    result.reserve(items->size());
    const auto known = place.problems->size();
    for (const auto& one : *items) {
      if (place.problems->full()) break;
      if (auto value_read = read(one, nullptr, place)) result.push_back(*std::move(value_read));
    }
    if (check && place.problems->size() == known) check(result, value, *place.problems);
    return result;
  };
  auto write = [write = item.write](const List& list) {
    json::Array result;
    for (const auto& one : list) result.push_back(write(one));
    return json::Value(std::move(result));
  };
  return {.what = "a list of " + what,
          .schema = list_schema(item.schema, limits),
          .read = std::move(read),
          .write = std::move(write),
          .rows = rows_below("[].", item.rows)};
}

inline constexpr std::size_t kMaxEntries = 256;

/// Whether these are the entries of a map, or else complains: also of names that are given twice or
/// not accepted.
[[nodiscard]] const json::Object* entries_of(const json::Value& value, const Names& names,
                                             const Place& place);
[[nodiscard]] json::Object map_schema(const json::Object& values, const Names& names);

template <class T>
using NamedValues = std::map<std::string, T, std::less<>>;

/// `what` in the plural. Names that are not given are as they were. A new one begins as in
/// `standard`.
template <class T>
Shape<NamedValues<T>> map(const std::string& what, const Shape<T>& item, const Names& names,
                          const NamedValues<T>& standard = {}) {
  using Map = NamedValues<T>;
  auto read = [read = item.read, names, standard](const json::Value& value, const Map* before,
                                                  const Place& place) -> std::optional<Map> {
    auto result = before != nullptr ? *before : Map();
    if (value.is_null()) return result;
    const auto* entries = entries_of(value, names, place);
    if (entries == nullptr) return {};
    for (const auto& [name, entry, position] : *entries) {
      const auto given = result.find(name);
      const auto usual = standard.find(name);
      const T* begin = usual == standard.end() ? nullptr : &usual->second;
      if (given != result.end()) begin = &given->second;
      auto one = read(entry, begin, {name, place.problems});
      if (one) result.insert_or_assign(name, *std::move(one));
    }
    return result;
  };
  auto write = [write = item.write](const Map& map) {
    json::Object result;
    for (const auto& [name, one] : map) result.append({name, write(one)});
    return json::Value(std::move(result));
  };
  return {.what = what + " by name",
          .schema = map_schema(item.schema, names),
          .read = std::move(read),
          .write = std::move(write),
          .rows = rows_below(".NAME.", item.rows)};
}

}  // namespace weir::config
