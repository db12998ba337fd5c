#include "embed/values.h"

#include <charconv>
#include <utility>

#include "event/catalogue.h"

namespace weir::embed {
namespace {

Result<json::Value> parse(std::string_view text) {
  if (text.size() > kMaxListBytes) {
    return fail(ErrorCode::kExhausted,
                "JSON of more than " + std::to_string(kMaxListBytes) + " bytes");
  }
  return json::parse(text);
}

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

Result<void> check_size(Strings strings) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < strings.size(); ++i) size += strings.data()[i].size() + sizeof size;
  if (size <= kMaxListBytes) return {};
  return fail(ErrorCode::kExhausted,
              "a list of more than " + std::to_string(kMaxListBytes) + " bytes");
}

Result<json::Value> to_json(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return json::Value(nullptr);
    case Value::Kind::kBoolean:
      return json::Value(value.boolean());
    case Value::Kind::kInteger:
      return json::Value(value.integer());
    case Value::Kind::kUnsigned:
      return json::Value(value.unsigned_integer());
    case Value::Kind::kNumber:
      return json::Value(value.number());
    case Value::Kind::kText:
      return json::Value(value.text());
    case Value::Kind::kStrings: {
      WEIR_TRY(check_size(value.strings()));
      json::Array array;
      for (std::size_t i = 0; i < value.strings().size(); ++i) {
        array.emplace_back(value.strings().data()[i]);
      }
      return json::Value(std::move(array));
    }
    case Value::Kind::kJson:
      return parse(value.text());
  }
  return json::Value(nullptr);
}

Result<void> append_json(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBoolean:
      out += value.boolean() ? "true" : "false";
      return {};
    case Value::Kind::kInteger:
      append_number(out, value.integer());
      return {};
    case Value::Kind::kUnsigned:
      append_number(out, value.unsigned_integer());
      return {};
    case Value::Kind::kText:
      json::append_string(out, value.text());
      return {};
    default: {
      WEIR_TRY(const auto parsed, to_json(value));
      json::append(out, parsed);
      return {};
    }
  }
}

Result<void> append_object(std::string& out, Json object) {
  WEIR_TRY(const auto value, parse(object.text));
  if (value.object() == nullptr) {
    return fail(ErrorCode::kInvalidInput,
                "an object was expected, not " + std::string(value.kind()));
  }
  json::append(out, value);
  return {};
}

std::optional<Timestamp> to_timestamp(
    const std::optional<std::chrono::system_clock::time_point>& time) {
  if (!time) return {};
  return std::chrono::floor<std::chrono::microseconds>(*time);
}

json::Value json_or_error(const Value& value) {
  auto result = to_json(value);
  return result ? *std::move(result) : json::Value(result.error().message);
}

std::string_view key_of(const Field& field) {
  if (field.index() == Field::kAttribute) return field.name();
  if (field.index() >= event::kFieldCount) return "?";
  return event::info(static_cast<event::Field>(field.index())).name;
}

json::Object to_object(Fields fields) {
  json::Object object;
  for (const auto& field : fields) object.set(key_of(field), json_or_error(field.value()));
  return object;
}

}  // namespace weir::embed
