#include "base/json_flat.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "base/json.h"
#include "base/json_plain.h"

namespace weir::json {
namespace {

using simdjson::error_code;
namespace ondemand = simdjson::ondemand;

/// Reads a value to its end, and nothing of it is kept: the text of a nested value is given as it
/// stands, and simdjson only counts the brackets of what nobody reads.
error_code check(ondemand::value& value, int depth);

error_code check(ondemand::object& object, int depth) {
  for (auto item : object) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return error;
    if (const auto error = field.unescaped_key().error()) return error;
    if (const auto error = check(field.value(), depth)) return error;
  }
  return simdjson::SUCCESS;
}

error_code check(ondemand::array& array, int depth) {
  for (auto item : array) {
    ondemand::value value;
    if (const auto error = std::move(item).get(value)) return error;
    if (const auto error = check(value, depth)) return error;
  }
  return simdjson::SUCCESS;
}

error_code check(ondemand::value& value, int depth) {
  if (depth >= kMaxDepth) return simdjson::DEPTH_ERROR;
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::string:
      return value.get_string().error();
    case ondemand::json_type::number:
      return value.get_double().error();
    case ondemand::json_type::boolean:
      return value.get_bool().error();
    case ondemand::json_type::null: {
      bool null = false;
      if (const auto error = value.is_null().get(null)) return error;
      return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    }
    case ondemand::json_type::array: {
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      return check(array, depth + 1);
    }
    case ondemand::json_type::object: {
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      return check(object, depth + 1);
    }
  }
  return simdjson::TAPE_ERROR;
}

/// A scalar's text, without the space that is after it.
template <class Value>
std::string_view token_of(Value& value) {
  std::string_view token = value.raw_json_token();
  // Not find_last_not_of, which calls memchr for each character.
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  return token;
}

/// Of values in an object: it has one level itself.
constexpr int kInside = 2;

/// The text of a list or object, after it was checked.
template <class Nested>
error_code take_text(Nested& nested, std::string_view& text) {
  if (const auto error = nested.reset().error()) return error;
  if (const auto error = nested.raw_json().get(text)) return error;
  text = text.substr(0, text.find_last_of("]}") + 1);  // it goes on to the next token
  return simdjson::SUCCESS;
}

error_code read_array(ondemand::array& array, FlatMember& member) {
  member.all_strings = true;
  for (auto item : array) {
    ondemand::value value;
    if (const auto error = std::move(item).get(value)) return error;
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    member.all_strings = member.all_strings && type == ondemand::json_type::string;
    if (const auto error = check(value, kInside)) return error;
  }
  return take_text(array, member.text);
}

error_code read_object(ondemand::object& object, FlatMember& member) {
  if (const auto error = check(object, kInside)) return error;
  return take_text(object, member.text);
}

}  // namespace

struct FlatReader::Impl {
  ondemand::parser parser;
  std::string padded;
  std::array<FlatMember, kMaxMembers> members;

  Result<std::span<const FlatMember>> read(std::string_view object);
  void copy(std::string_view object);
  error_code read_members(ondemand::object& source, std::size_t& count);
  static error_code read_value(ondemand::value& value, FlatMember& member);
  static error_code read_number(ondemand::value& value, FlatMember& member);
};

FlatReader::FlatReader() : impl_(std::make_unique<Impl>()) {}
FlatReader::~FlatReader() = default;
FlatReader::FlatReader(FlatReader&&) noexcept = default;
FlatReader& FlatReader::operator=(FlatReader&&) noexcept = default;

Result<std::span<const FlatMember>> FlatReader::read(std::string_view object) {
  return impl_->read(object);
}

void FlatReader::Impl::copy(std::string_view object) {
  static_assert(simdjson::SIMDJSON_PADDING >= kPlainPadding);
  const auto needed = object.size() + simdjson::SIMDJSON_PADDING;
  if (padded.size() < needed) padded.resize(needed * 2);
  std::memcpy(padded.data(), object.data(), object.size());
  std::memset(padded.data() + object.size(), 0, simdjson::SIMDJSON_PADDING);
}

Result<std::span<const FlatMember>> FlatReader::Impl::read(std::string_view object) {
  if (object.empty()) return fail(ErrorCode::kInvalidInput, "empty line");
  copy(object);
  if (const auto plain = read_plain(padded.data(), object.size(), members)) {
    return std::span<const FlatMember>(members.data(), *plain);
  }
  // What is rare, and what is wrong: simdjson says it best. The first try may have written to the
  // copy.
  copy(object);
  ondemand::document document;
  ondemand::object source;
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

error_code FlatReader::Impl::read_members(ondemand::object& source, std::size_t& count) {
  for (auto item : source) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return error;
    if (count == kMaxMembers) return simdjson::CAPACITY;
    auto& member = members[count++];
    member = {};
    if (const auto error = field.unescaped_key().get(member.key)) return error;
    if (const auto error = read_value(field.value(), member)) return error;
  }
  return simdjson::SUCCESS;
}

error_code FlatReader::Impl::read_value(ondemand::value& value, FlatMember& member) {
  ondemand::json_type type{};
  if (const auto error = value.type().get(type)) return error;
  switch (type) {
    case ondemand::json_type::string:
      member.kind = Kind::kString;
      return value.get_string().get(member.text);
    case ondemand::json_type::number:
      return read_number(value, member);
    case ondemand::json_type::boolean:
      member.kind = Kind::kBoolean;
      member.text = token_of(value);
      return value.get_bool().get(member.boolean);
    case ondemand::json_type::null: {
      bool null = false;
      if (const auto error = value.is_null().get(null)) return error;
      return null ? simdjson::SUCCESS : simdjson::N_ATOM_ERROR;
    }
    case ondemand::json_type::array: {
      member.kind = Kind::kArray;
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return error;
      return read_array(array, member);
    }
    case ondemand::json_type::object: {
      member.kind = Kind::kObject;
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return error;
      return read_object(object, member);
    }
  }
  return simdjson::TAPE_ERROR;
}

error_code FlatReader::Impl::read_number(ondemand::value& value, FlatMember& member) {
  member.text = token_of(value);
  const bool whole =
      std::ranges::none_of(member.text, [](char c) { return c == '.' || c == 'e' || c == 'E'; });
  if (whole && !value.get_int64().get(member.integer)) {
    member.kind = Kind::kInteger;
    member.number = static_cast<double>(member.integer);
    return simdjson::SUCCESS;
  }
  member.kind = Kind::kNumber;
  return value.get_double().get(member.number);
}

}  // namespace weir::json
