#pragma once

#include "config/shape.h"

/// Shapes of objects with known keys. For the tables of config and pipeline.
namespace weir::config {

struct KeyOptions {
  bool required = false;
  /// The environment variable that sets it or, with a path, what is there below it.
  std::string variable{};
  std::string variable_path{};
  /// Only with these words of the object's tag.
  std::vector<std::string> only_for{};
  /// What the page says of the default where that is more than a value.
  std::string fallback{};
};

/// What a key is, whatever it is read into.
struct KeyInfo {
  std::string name;
  std::string doc;
  KeyOptions options;
  std::string what;
  json::Object schema;
  std::vector<Row> rows;
};

/// One key of an object that is read into a T.
template <class T>
struct Key {
  KeyInfo info;
  std::function<void(const json::Value&, T&, const Place&)> read;
  std::function<json::Value(const T&)> write;
};

/// `member` gives a T's member: a pointer to it, or a function for const and other ones.
template <class T, class Member, class M>
Key<T> key(const std::string& name, Member member, Shape<M> shape, const std::string& doc,
           const KeyOptions& options = {}) {
  auto read = [member, read = shape.read](const json::Value& value, T& out, const Place& place) {
    auto& target = std::invoke(member, out);
    if (auto result = read(value, &target, place)) target = *std::move(result);
  };
  auto write = [member, write = shape.write](const T& value) {
    return write(std::invoke(member, value));
  };
  return {.info = {.name = name,
                   .doc = doc,
                   .options = options,
                   .what = std::move(shape.what),
                   .schema = std::move(shape.schema),
                   .rows = std::move(shape.rows)},
          .read = std::move(read),
          .write = std::move(write)};
}

/// The keys of an object, and the one whose word says which of the others there may be.
struct KeyTable {
  std::vector<KeyInfo> keys;
  std::string tag;
  json::Object rules;  ///< for the schema, beside what the keys say

  /// Complains of what is no object, and of keys that are unknown, missing, given twice, or not for
  /// this tag.
  void check(const json::Value& value, const Place& place) const;
  /// Without keys, it is one.
  [[nodiscard]] bool may_be_null() const;
  [[nodiscard]] json::Object schema() const;
  /// `defaults` is the object as it is written when nothing is given.
  [[nodiscard]] std::vector<Row> rows(const json::Object& defaults) const;

 private:
  /// The word of the tag; empty: it has none, or one that is none, which is complained of.
  [[nodiscard]] std::string tag_word(const json::Object& object) const;
  /// What may have been meant.
  [[nodiscard]] std::string hint(std::string_view word,
                                 const std::function<bool(const KeyInfo&)>& is_known) const;
};

[[nodiscard]] bool is_for(const KeyInfo& key, std::string_view tag_word);
/// Where the value of a key stands, or the object if it has none.
[[nodiscard]] json::Position position_of(const json::Value& object, std::string_view key);

/// Complains of what no single key can know. Called when every key was right.
template <class T>
using Check = std::function<void(const T&, const json::Value&, Problems&)>;

template <class T>
struct ObjectOptions {
  std::string tag{};
  Check<T> check{};
  json::Object rules{};  ///< what its schema says beside the keys: what `check` knows
};

/// Keys that are not given are as they were. Null is an object without keys, where none is needed:
/// a section whose lines are all commented out.
template <class T>
Shape<T> object(const std::string& what, const std::vector<Key<T>>& keys,
                const ObjectOptions<T>& options = {}) {
  KeyTable table{.keys = {}, .tag = options.tag, .rules = options.rules};
  json::Object defaults;
  for (const auto& one : keys) {
    table.keys.push_back(one.info);
    defaults.append({one.info.name, one.write(T{})});
  }
  auto read = [table, keys, check = options.check](const json::Value& value, const T* before,
                                                   const Place& place) -> std::optional<T> {
    T result = before != nullptr ? *before : T{};
    if (value.is_null() && table.may_be_null()) return result;
    auto& problems = *place.problems;
    const auto known = problems.size();
    table.check(value, place);
    if (value.object() == nullptr) return {};
    for (const auto& one : keys) {
      const auto* member = value.object()->find(one.info.name);
      if (member != nullptr) one.read(*member, result, {one.info.name, &problems});
    }
    if (problems.size() == known && check) check(result, value, problems);
    return result;
  };
  auto write = [keys, tag = options.tag](const T& value) {
    json::Object result;
    for (const auto& one : keys) {
      const auto* word = result.find(tag);
      if (!is_for(one.info, word == nullptr ? "" : *word->string())) continue;
      if (auto written = one.write(value); !written.is_null()) {
        result.append({one.info.name, std::move(written)});
      }
    }
    return json::Value(std::move(result));
  };
  auto schema = table.schema();
  auto rows = table.rows(defaults);
  return {.what = what,
          .schema = std::move(schema),
          .read = std::move(read),
          .write = std::move(write),
          .rows = std::move(rows)};
}

}  // namespace weir::config
