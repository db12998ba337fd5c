#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/problem.h"

/// How values are written in a file. Reading, writing, the JSON Schema and the reference page all
/// come from one Shape, so that none of them can say what the others do not. For the tables of
/// config and pipeline.
namespace weir::config {

/// What is wrong, up to a limit: nobody reads more, and each costs a search for the word meant.
class Problems {
 public:
  static constexpr std::size_t kMax = 200;

  /// What is added from now on is about a value of `source`, not of a file.
  void set_source(std::string source) { source_ = std::move(source); }
  void add(json::Position at, const std::string& message);
  [[nodiscard]] bool full() const { return list_.size() >= kMax; }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  /// In the order of their places.
  [[nodiscard]] std::vector<Problem> take();

 private:
  std::string source_;
  std::vector<Problem> list_;
};

/// Under which key a value stands, and where to complain of it.
struct Place {
  std::string key;
  Problems* problems;
};

/// A row of the reference page.
struct Row {
  std::string path;  ///< below its section: `keys[].name`
  std::string what;
  std::string fallback;
  std::string variable;
  std::string variable_path;  ///< what it sets below `path`
  std::string doc;
};

template <class T>
struct Shape {
  std::string what;  ///< "a list of topics": in messages and on the page
  json::Object schema;
  /// Nothing if it is not what the shape says. Of objects, lists and maps, what could be
  /// understood: after a problem, it is for finding more of them alone. `before` is what holds
  /// without this value, or null.
  std::function<std::optional<T>(const json::Value&, const T* before, const Place&)> read;
  /// Reads back as the same value. Null: nothing is written.
  std::function<json::Value(const T&)> write;
  std::vector<Row> rows;  ///< of the keys inside
};

/// A JSON Schema (draft 7) that can stand alone.
[[nodiscard]] json::Value schema_document(std::string_view title, const json::Object& schema);

/// "'level' is 'loud', WHAT is expected"; without the value if it may be a secret.
[[nodiscard]] std::string wrong_value(const Place& place, const json::Value& value,
                                      std::string_view what, bool is_secret = false);

// ---- values ----

enum class Secrecy : std::uint8_t { kOpen, kSecret };

struct TextLimits {
  std::size_t max_bytes = 256;
  Secrecy secrecy = Secrecy::kOpen;  ///< kSecret: no message shows it
  std::string pattern;               ///< for the schema alone: `accepts` decides
  std::function<bool(const std::string&)> accepts;
};

/// Never empty.
[[nodiscard]] Shape<std::string> text(const std::string& what, const TextLimits& limits = {});
/// How a text is written: an empty one is none.
[[nodiscard]] json::Value text_or_null(const std::string& text);
[[nodiscard]] Shape<std::filesystem::path> path(const std::string& what);
[[nodiscard]] Shape<bool> boolean();
[[nodiscard]] Shape<std::int64_t> whole_number(std::int64_t lowest, std::int64_t highest);
/// From 0 to 1.
[[nodiscard]] Shape<double> fraction();
[[nodiscard]] Shape<std::chrono::milliseconds> duration(std::chrono::milliseconds lowest,
                                                        std::chrono::milliseconds highest);
[[nodiscard]] Shape<std::uint64_t> size(std::uint64_t lowest, std::uint64_t highest);

/// What a value of another shape means; nothing: it is not what the shape says.
template <class T, class U>
Shape<T> converted(const Shape<U>& shape, std::function<std::optional<T>(const U&)> to,
                   std::function<U(const T&)> from) {
  auto read = [shape, to = std::move(to)](const json::Value& value, const T*,
                                          const Place& place) -> std::optional<T> {
    const auto inner = shape.read(value, nullptr, place);
    if (!inner) return {};
    auto result = to(*inner);
    if (!result) place.problems->add(value.position, wrong_value(place, value, shape.what));
    return result;
  };
  auto write = [write = shape.write, from = std::move(from)](const T& value) {
    return write(from(value));
  };
  return {.what = shape.what,
          .schema = shape.schema,
          .read = std::move(read),
          .write = std::move(write),
          .rows = {}};
}

/// A value as a word: `null` without quotes means the word. Empty: it is none.
[[nodiscard]] std::string word_in(const json::Value& value);

/// One of `words`, read as its place in them: the basis of `choice`. The words from `shown` on are
/// read too, but not shown.
[[nodiscard]] Shape<std::size_t> word_of(std::vector<std::string> words, std::size_t shown);

template <class T>
using Words = std::vector<std::pair<std::string, T>>;

template <class T>
Shape<T> choice(const Words<T>& words, const Words<T>& other_words = {}) {
  std::vector<std::string> names;
  std::vector<T> values;
  for (const auto* list : {&words, &other_words}) {
    for (const auto& [name, value] : *list) {
      names.push_back(name);
      values.push_back(value);
    }
  }
  return converted<T, std::size_t>(
      word_of(names, words.size()),
      [values](const std::size_t& index) { return std::optional<T>(values[index]); },
      [values](const T& value) {
        return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) -
                                        values.begin());
      });
}

/// A value that may be absent: a std::optional or a Rare.
template <class T, class Optional = std::optional<T>>
Shape<Optional> optional(const Shape<T>& shape) {
  auto read = [read = shape.read](const json::Value& value, const Optional* before,
                                  const Place& place) -> std::optional<Optional> {
    const T* known = before != nullptr && *before ? &**before : nullptr;
    auto result = read(value, known, place);
    if (!result) return {};
    return Optional(std::in_place, *std::move(result));
  };
  auto write = [write = shape.write](const Optional& value) {
    return value ? write(*value) : json::Value();
  };
  return {.what = shape.what,
          .schema = shape.schema,
          .read = std::move(read),
          .write = std::move(write),
          .rows = shape.rows};
}

}  // namespace weir::config
