#include "pipeline/shapes.h"

namespace weir::pipeline {
namespace {

using config::Place;
using config::Shape;

/// Names and ids; which letters they may have, validate knows.
constexpr std::size_t kMaxWord = 256;

json::Object schema_of(json::Value type) {
  json::Object schema;
  schema.set("type", std::move(type));
  return schema;
}

std::string text_of(const json::Value& value) {
  return value.string() != nullptr ? *value.string() : json::to_text(value);
}

/// A text that must be parsed. `parse` gives a Result.
template <class T, class Parse, class Write>
Shape<T> parsed(const std::string& what, std::size_t max_bytes, Parse parse, Write write) {
  const auto text = config::text(what, {.max_bytes = max_bytes});
  auto read = [read = text.read, parse](const json::Value& value, const T*,
                                        const Place& place) -> std::optional<T> {
    const auto source = read(value, nullptr, place);
    if (!source) return {};
    auto result = parse(*source, value.position);
    if (result) return *std::move(result);
    place.problems->add(value.position, "'" + place.key + "': " + result.error().message);
    return {};
  };
  return {.what = what,
          .schema = text.schema,
          .read = std::move(read),
          .write = std::move(write),
          .rows = {}};
}

}  // namespace

Shape<std::string> word(const std::string& what) {
  return config::text(what, {.max_bytes = kMaxWord});
}

Shape<Located> located(const std::string& what) {
  const auto text = word(what);
  return {.what = what,
          .schema = text.schema,
          .read =
              [read = text.read](const json::Value& value, const Located*, const Place& place) {
                // Also where it is none: that it was given is known from its place.
                return std::optional(Located{.text = read(value, nullptr, place).value_or(""),
                                             .position = value.position});
              },
          .write = [](const Located& value) { return config::text_or_null(value.text); },
          .rows = {}};
}

Shape<std::string> plain_text() {
  const std::string what = "a text";
  return {
      .what = what,
      .schema = schema_of(json::Array{"string", "number", "null"}),
      .read = [what](const json::Value& value, const std::string* before,
                     const Place& place) -> std::optional<std::string> {
        if (value.is_null()) return before != nullptr ? *before : std::string();
        if (value.array() != nullptr || value.object() != nullptr || value.boolean() != nullptr) {
          place.problems->add(value.position, config::wrong_value(place, value, what));
          return {};
        }
        return text_of(value);
      },
      .write = config::text_or_null,
      .rows = {}};
}

Shape<std::vector<Located>> located_list(const std::string& what) {
  constexpr std::size_t kMaxItems = 1'000'000;  // as many as nodes
  return config::list(what, located("a text"), {.max_items = kMaxItems});
}

Shape<std::vector<std::string>> words(const std::string& what, std::size_t min_items) {
  return config::list(what, word("a text"), {.max_items = 256, .min_items = min_items});
}

Shape<int> count(int lowest, int highest) {
  return config::converted<int, std::int64_t>(
      config::whole_number(lowest, highest),
      [](const std::int64_t& value) { return std::optional<int>(static_cast<int>(value)); },
      [](const int& value) { return std::int64_t{value}; });
}

Shape<json::Value> any_value() {
  return {.what = "any value",
          .schema = {},
          .read = [](const json::Value& value, const json::Value*,
                     const Place&) { return std::optional(value); },
          .write = [](const json::Value& value) { return value; },
          .rows = {}};
}

Shape<json::Object> any_object() {
  return {.what = "an object",
          .schema = schema_of(json::Array{"object", "null"}),
          .read = [](const json::Value& value, const json::Object*,
                     const Place& place) -> std::optional<json::Object> {
            if (value.is_null()) return json::Object();
            if (value.object() != nullptr) return *value.object();
            place.problems->add(value.position, config::wrong_value(place, value, "an object"));
            return {};
          },
          .write = [](const json::Object& value) { return json::Value(value); },
          .rows = {}};
}

Shape<Expression> expression() {
  return parsed<Expression>(
      "an expression", Expression::kMaxBytes,
      [](const std::string& text, json::Position position) {
        return Expression::parse(text, position);
      },
      [](const Expression& value) { return config::text_or_null(value.text()); });
}

Shape<Reference> whole_reference() {
  return parsed<Reference>(
      "a reference", Expression::kMaxBytes,
      [](const std::string& text, json::Position position) -> Result<Reference> {
        constexpr auto kExpected =
            "one reference is expected, such as ${input.files}, and nothing beside it";
        if (!text.starts_with("${")) return fail(ErrorCode::kInvalidInput, kExpected);
        WEIR_TRY(auto found, parse_reference(text));
        if (found.size != text.size()) return fail(ErrorCode::kInvalidInput, kExpected);
        found.reference.position = position;
        return std::move(found.reference);
      },
      [](const Reference& value) { return json::Value(to_string(value)); });
}

}  // namespace weir::pipeline
