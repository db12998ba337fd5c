#include "base/json_flat.h"

#include <simdjson.h>

#include <array>
#include <cstring>
#include <string>

namespace weir::json {

struct FlatReader::Impl {
  simdjson::ondemand::parser parser;
  std::string padded;
  std::array<FlatMember, kMaxMembers> members;

  Result<std::span<const FlatMember>> read(std::string_view object);
  simdjson::error_code read_members(simdjson::ondemand::object& source, std::size_t& count);
  static simdjson::error_code read_value(simdjson::ondemand::value& value, FlatMember& member);
  static simdjson::error_code read_number(simdjson::ondemand::value& value, FlatMember& member);
};

FlatReader::FlatReader() : impl_(std::make_unique<Impl>()) {}
FlatReader::~FlatReader() = default;
FlatReader::FlatReader(FlatReader&&) noexcept = default;
FlatReader& FlatReader::operator=(FlatReader&&) noexcept = default;

Result<std::span<const FlatMember>> FlatReader::read(std::string_view object) {
  return impl_->read(object);
}

Result<std::span<const FlatMember>> FlatReader::Impl::read(std::string_view object) {
  const auto needed = object.size() + simdjson::SIMDJSON_PADDING;
  if (padded.size() < needed) padded.resize(needed * 2);
  if (object.empty()) return fail(ErrorCode::kInvalidInput, "empty line");
  std::memcpy(padded.data(), object.data(), object.size());
  std::memset(padded.data() + object.size(), 0, simdjson::SIMDJSON_PADDING);

  simdjson::ondemand::document document;
  simdjson::ondemand::object source;
  std::size_t count = 0;
  auto error = parser.iterate(padded.data(), object.size(), padded.size()).get(document);
  if (!error) error = document.get_object().get(source);
  if (!error) error = read_members(source, count);
  if (error) return fail(ErrorCode::kInvalidInput, simdjson::error_message(error));
  const char* after = nullptr;
  if (!document.current_location().get(after)) {
    return fail(ErrorCode::kInvalidInput, "more text after the object");
  }
  return std::span<const FlatMember>(members.data(), count);
}

simdjson::error_code FlatReader::Impl::read_members(simdjson::ondemand::object& source,
                                                    std::size_t& count) {
  for (auto item : source) {
    simdjson::ondemand::field field;
    if (const auto error = std::move(item).get(field)) return error;
    if (count == kMaxMembers) return simdjson::CAPACITY;
    auto& member = members[count++];
    member = {};
    if (const auto error = field.unescaped_key().get(member.key)) return error;
    if (const auto error = read_value(field.value(), member)) return error;
  }
  return simdjson::SUCCESS;
}

simdjson::error_code FlatReader::Impl::read_value(simdjson::ondemand::value& value,
                                                  FlatMember& member) {
  simdjson::ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case simdjson::ondemand::json_type::string:
      member.kind = Kind::kString;
      return value.get_string().get(member.text);
    case simdjson::ondemand::json_type::number:
      return read_number(value, member);
    case simdjson::ondemand::json_type::boolean:
      member.kind = Kind::kBoolean;
      member.text = value.raw_json_token();
      return value.get_bool().get(member.boolean);
    case simdjson::ondemand::json_type::null: {
      bool null = false;
      if (const auto error = value.is_null().get(null)) return error;
      return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    }
    case simdjson::ondemand::json_type::array: {
      member.kind = Kind::kArray;
      simdjson::ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      return array.raw_json().get(member.text);
    }
    case simdjson::ondemand::json_type::object: {
      member.kind = Kind::kObject;
      simdjson::ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      return object.raw_json().get(member.text);
    }
  }
  return simdjson::TAPE_ERROR;
}

simdjson::error_code FlatReader::Impl::read_number(simdjson::ondemand::value& value,
                                                   FlatMember& member) {
  member.text = value.raw_json_token();
  const bool whole = member.text.find_first_of(".eE") == std::string_view::npos;
  if (whole && !value.get_int64().get(member.integer)) {
    member.kind = Kind::kInteger;
    member.number = static_cast<double>(member.integer);
    return simdjson::SUCCESS;
  }
  member.kind = Kind::kNumber;
  return value.get_double().get(member.number);
}

}  // namespace weir::json
