// Events: of any bytes the decoder accepts only lines that are JSON objects with all base fields,
// and says of each field what the JSON says.

#include <set>

#include "base/json.h"
#include "event/decoder.h"

namespace weir::event {
namespace {

void check_value(const EventView& event, Field field, const json::Value& value) {
  const auto* member = event.find(field);
  if (value.is_null()) {
    WEIR_CHECK(member == nullptr && field == kNullable);
    return;
  }
  WEIR_CHECK(member != nullptr && event.has(field));
  switch (info(field).type) {
    case FieldType::kString:
    case FieldType::kTimestamp:
      WEIR_CHECK(value.string() && event.text(field) == *value.string());
      break;
    case FieldType::kInteger:
      WEIR_CHECK(value.integer() && event.integer(field) == *value.integer());
      break;
    case FieldType::kNumber: {
      const auto* number = std::get_if<double>(&value.variant());
      const auto* natural = std::get_if<std::uint64_t>(&value.variant());
      const double expected = number    ? *number
                              : natural ? static_cast<double>(*natural)
                                        : static_cast<double>(*value.integer());
      WEIR_CHECK(event.number(field) == expected);
      break;
    }
    case FieldType::kBoolean:
      WEIR_CHECK(value.boolean() && member->boolean == *value.boolean());
      break;
    case FieldType::kStrings: {
      const auto strings = event.strings(field);
      WEIR_CHECK(value.array() && strings.size() == value.array()->size());
      for (std::size_t i = 0; i < strings.size(); ++i) {
        WEIR_CHECK((*value.array())[i] == json::Value(strings[i]));
      }
      break;
    }
    case FieldType::kObject: {
      const auto nested = json::parse(event.text(field));
      WEIR_CHECK(value.object() && nested && *nested == value);
      break;
    }
  }
}

void check_required(const EventView& event, const json::Object& object) {
  const auto is_there = [&](Field field) { return object.find(info(field).name) != nullptr; };
  for (const auto field : kAlwaysRequired) WEIR_CHECK(is_there(field));
  if (event.type() == Type::kCustom) return;
  WEIR_CHECK(info(event.type()).name == event.type_name());
  for (const auto field : info(event.type()).required) WEIR_CHECK(is_there(field));
}

void check(std::string_view line) {
  static Decoder decoder;  // reused, as in production: nothing of an earlier line may show
  const auto decoded = decoder.decode(line);
  if (!decoded) {
    WEIR_CHECK(decoded.error().code == ErrorCode::kInvalidInput);
    return;
  }
  const auto& event = **decoded;
  const auto value = json::parse(line);
  WEIR_CHECK(value && value->object());
  const auto& object = *value->object();
  check_required(event, object);

  std::set<Field> given;
  for (const auto& member : object) {
    const auto field = find_field(member.key);
    WEIR_CHECK(field);
    given.insert(*field);
    check_value(event, *field, *object.find(member.key));
  }
  for (const auto& field : fields())
    WEIR_CHECK(!event.has(field.field) || given.contains(field.field));
  WEIR_CHECK(event.timestamp() == parse_rfc3339(*object.find("timestamp")->string()));
  WEIR_CHECK(event.run_id() == RunId::parse(*object.find("run_id")->string()));
  WEIR_CHECK(event.run_seq() == *object.find("run_seq")->integer());
}

}  // namespace
}  // namespace weir::event

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::event::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
