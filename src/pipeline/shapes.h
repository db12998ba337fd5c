#pragma once

#include <string>
#include <utility>

#include "config/collection.h"
#include "pipeline/definition.h"

/// The kinds of values that pipeline files have beside those of weir.yaml. Internal to pipeline.
namespace weir::pipeline {

/// A text that knows where it stands.
[[nodiscard]] config::Shape<Located> located(const std::string& what);
/// The same without the place.
[[nodiscard]] config::Shape<std::string> word(const std::string& what);
/// A text for people, or a number as people write versions.
[[nodiscard]] config::Shape<std::string> plain_text();
[[nodiscard]] config::Shape<std::vector<Located>> located_list(const std::string& what);
[[nodiscard]] config::Shape<std::vector<std::string>> words(const std::string& what,
                                                            std::size_t min_items = 0);
[[nodiscard]] config::Shape<int> count(int lowest, int highest);
[[nodiscard]] config::Shape<json::Value> any_value();
[[nodiscard]] config::Shape<json::Object> any_object();
[[nodiscard]] config::Shape<Expression> expression();
[[nodiscard]] config::Shape<Reference> whole_reference();

/// The same of a value that knows where it stands.
template <class T>
config::Shape<T> placed(config::Shape<T> shape) {
  shape.read = [read = shape.read](const json::Value& value, const T* before,
                                   const config::Place& place) {
    auto result = read(value, before, place);
    if (result) result->position = value.position;
    return result;
  };
  return shape;
}

/// A value that few have. Null is none, where the shape takes null.
template <class T>
config::Shape<Rare<T>> rare(const config::Shape<T>& shape) {
  auto result = config::optional<T, Rare<T>>(shape);
  const auto* type = shape.schema.find("type");
  const bool may_be_null = type != nullptr && type->array() != nullptr;
  result.read = [read = result.read, may_be_null](
                    const json::Value& value, const Rare<T>* before,
                    const config::Place& place) -> std::optional<Rare<T>> {
    if (value.is_null() && may_be_null) return Rare<T>();
    return read(value, before, place);
  };
  return result;
}

/// An object, or only whether: true is `on`, false is `off`.
template <class T>
config::Shape<T> switchable(const config::Shape<T>& object, const T& on, const T& off) {
  auto schema = object.schema;
  schema.set("type", json::Array{"boolean", "object", "null"});
  auto read = [read = object.read, on, off](const json::Value& value, const T* before,
                                            const config::Place& place) -> std::optional<T> {
    if (value.boolean() != nullptr) return *value.boolean() ? on : off;
    if (value.object() != nullptr || value.is_null()) return read(value, before, place);
    place.problems->add(value.position,
                        config::wrong_value(place, value, "true, false or an object"));
    return {};
  };
  return {.what = "true, false or " + object.what,
          .schema = std::move(schema),
          .read = std::move(read),
          .write = object.write,
          .rows = object.rows};
}

}  // namespace weir::pipeline
