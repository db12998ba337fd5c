#include "config/shape.h"

#include <utility>

#include "base/text.h"
#include "base/utf8.h"
#include "config/units.h"

namespace weir::config {
namespace {

template <class T>
json::Value to_json(const T& value) {
  return value;
}

constexpr std::string_view kNullWord = "null";

std::string list_of_words(const std::vector<std::string>& words) {
  if (words.size() == 1) return words[0];
  return text::join(std::span(words).first(words.size() - 1)) + " or " + words.back();
}

}  // namespace

std::string word_in(const json::Value& value) {
  if (value.is_null()) return std::string(kNullWord);
  return value.string() == nullptr ? "" : *value.string();
}

void Problems::add(json::Position at, const std::string& message) {
  if (!full()) list_.push_back({at, source_.empty() ? message : source_ + ": " + message});
}

std::vector<Problem> Problems::take() {
  std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.position.line, a.position.column) <
           std::pair(b.position.line, b.position.column);
  });
  return std::exchange(list_, {});
}

std::string wrong_value(const Place& place, const json::Value& value, std::string_view what,
                        bool is_secret) {
  constexpr std::size_t kMaxShown = 64;
  std::string shown(value.kind());
  if (const auto* text = value.string(); text != nullptr && is_secret) {
    shown = "another text";
  } else if (text != nullptr) {
    shown = "'" + std::string(utf8::cut(*text, kMaxShown)) + "'";
  } else if (value.array() == nullptr && value.object() == nullptr && !is_secret) {
    shown = json::to_text(value);
  }
  return "'" + place.key + "' is " + shown + ", " + std::string(what) + " is expected";
}

json::Value schema_document(std::string_view title, const json::Object& schema) {
  json::Object document;
  document.set("$schema", "http://json-schema.org/draft-07/schema#");
  document.set("title", title);
  document.update(schema);
  return document;
}

json::Value text_or_null(const std::string& text) {
  return text.empty() ? json::Value() : json::Value(text);
}

Shape<std::string> text(const std::string& what, const TextLimits& limits) {
  json::Object schema;
  schema.set("type", "string");
  schema.set("minLength", 1);
  schema.set("maxLength", static_cast<std::uint64_t>(limits.max_bytes));
  if (!limits.pattern.empty()) schema.set("pattern", limits.pattern);
  auto read = [what, limits](const json::Value& value, const std::string*,
                             const Place& place) -> std::optional<std::string> {
    const auto* text = value.string();
    const bool is_secret = limits.secrecy == Secrecy::kSecret;
    if (text == nullptr || text->empty() || (limits.accepts && !limits.accepts(*text))) {
      place.problems->add(value.position, wrong_value(place, value, what, is_secret));
      return {};
    }
    if (text->size() > limits.max_bytes) {
      place.problems->add(value.position, "'" + place.key + "' has more than " +
                                              text::count(limits.max_bytes, "byte"));
      return {};
    }
    return *text;
  };
  return {.what = what,
          .schema = std::move(schema),
          .read = std::move(read),
          .write = text_or_null,
          .rows = {}};
}

Shape<std::filesystem::path> path(const std::string& what) {
  constexpr std::size_t kMaxPath = 4096;
  auto shape = text(what, {.max_bytes = kMaxPath,
                           .accepts = [](const auto& text) { return !text.contains('\0'); }});
  return converted<std::filesystem::path, std::string>(
      shape, [](const std::string& text) { return std::optional<std::filesystem::path>(text); },
      [](const std::filesystem::path& path) { return path.string(); });
}

namespace {

/// A value of one of JSON's own kinds.
template <class T, class Read>
Shape<T> scalar(const std::string& what, const json::Object& schema, Read read_value) {
  auto read = [what, read_value](const json::Value& value, const T*,
                                 const Place& place) -> std::optional<T> {
    std::optional<T> result = read_value(value);
    if (!result) place.problems->add(value.position, wrong_value(place, value, what));
    return result;
  };
  return {.what = what, .schema = schema, .read = std::move(read), .write = to_json<T>, .rows = {}};
}

}  // namespace

Shape<bool> boolean() {
  json::Object schema;
  schema.set("type", "boolean");
  return scalar<bool>("true or false", schema, [](const json::Value& value) -> std::optional<bool> {
    if (value.boolean() == nullptr) return {};
    return *value.boolean();
  });
}

Shape<std::int64_t> whole_number(std::int64_t lowest, std::int64_t highest) {
  json::Object schema;
  schema.set("type", "integer");
  schema.set("minimum", lowest);
  schema.set("maximum", highest);
  auto what = "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
  return scalar<std::int64_t>(
      what, schema, [lowest, highest](const json::Value& value) -> std::optional<std::int64_t> {
        const auto* number = value.integer();
        if (number == nullptr || *number < lowest || *number > highest) return {};
        return *number;
      });
}

Shape<double> fraction() {
  json::Object schema;
  schema.set("type", "number");
  schema.set("minimum", 0);
  schema.set("maximum", 1);
  return scalar<double>("a number from 0 to 1", schema,
                        [](const json::Value& value) -> std::optional<double> {
                          const auto* number = std::get_if<double>(&value.variant());
                          const auto* whole = value.integer();
                          double result = -1;
                          if (number != nullptr) result = *number;
                          if (whole != nullptr) result = static_cast<double>(*whole);
                          const bool is_share = result >= 0 && result <= 1;  // NaN is none
                          if (!is_share) return {};
                          return result;
                        });
}

Shape<std::chrono::milliseconds> duration(std::chrono::milliseconds lowest,
                                          std::chrono::milliseconds highest) {
  constexpr std::size_t kMaxText = 24;
  auto what = "a duration from " + to_text(lowest) + " to " + to_text(highest);
  auto shape = text(what, {.max_bytes = kMaxText, .pattern = "^[0-9]+(ms|s|m|h|d)$"});
  return converted<std::chrono::milliseconds, std::string>(
      shape,
      [lowest, highest](const std::string& text) {
        const auto read = parse_duration(text);
        return read && *read >= lowest && *read <= highest ? read : std::nullopt;
      },
      [](const std::chrono::milliseconds& value) { return to_text(value); });
}

Shape<std::uint64_t> size(std::uint64_t lowest, std::uint64_t highest) {
  constexpr std::size_t kMaxText = 24;
  auto what = "a size from " + size_to_text(lowest) + " to " + size_to_text(highest);
  auto shape = text(what, {.max_bytes = kMaxText, .pattern = "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$"});
  return converted<std::uint64_t, std::string>(
      shape,
      [lowest, highest](const std::string& text) {
        const auto read = parse_size(text);
        return read && *read >= lowest && *read <= highest ? read : std::nullopt;
      },
      [](const std::uint64_t& value) { return size_to_text(value); });
}

Shape<std::size_t> word_of(std::vector<std::string> words, std::size_t shown) {
  json::Array all;
  for (const auto& word : words) {
    all.emplace_back(word);
    if (word == kNullWord) all.emplace_back(nullptr);
  }
  json::Object schema;
  schema.set("enum", std::move(all));
  const std::vector<std::string> shown_words(words.begin(),
                                             words.begin() + static_cast<std::ptrdiff_t>(shown));
  auto what = list_of_words(shown_words);
  auto read = [words, shown_words, what](const json::Value& value, const std::size_t*,
                                         const Place& place) -> std::optional<std::size_t> {
    const auto word = word_in(value);
    const auto found = std::find(words.begin(), words.end(), word);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    const auto hint = word.empty() ? "" : text::did_you_mean(word, shown_words);
    place.problems->add(value.position, wrong_value(place, value, what) + hint);
    return {};
  };
  return {.what = std::move(what),
          .schema = std::move(schema),
          .read = std::move(read),
          .write = [words](const std::size_t& index) { return json::Value(words[index]); },
          .rows = {}};
}

}  // namespace weir::config
