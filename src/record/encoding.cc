#include "record/encoding.h"

#include <algorithm>
#include <bit>

#include "base/copy.h"
#include "base/result.h"

namespace weir::record {
namespace {

using event::FieldValue;

std::size_t strings_size(std::span<const std::string> strings) {
  std::size_t size = 0;
  for (const auto& string : strings) size += sizeof(std::uint32_t) + string.size();
  return size;
}

std::string_view text_of(const FieldValue& field) {
  if (const auto* object = std::get_if<event::ObjectText>(&field.value)) return object->json;
  return std::get_if<std::string_view>(&field.value)->substr(0, kMaxString);
}

std::size_t value_size(const FieldValue& field) {
  switch (static_cast<EncodedKind>(field.value.index())) {
    case EncodedKind::kNull:
      return 0;
    case EncodedKind::kBoolean:
      return 1;
    case EncodedKind::kInteger:
    case EncodedKind::kNumber:
      return 8;
    case EncodedKind::kString:
    case EncodedKind::kObject:
      return text_of(field).size();
    case EncodedKind::kStrings:
      return strings_size(*std::get_if<std::span<const std::string>>(&field.value));
  }
  return 0;
}

std::byte* put_strings(std::byte* out, std::span<const std::string> strings) {
  for (const auto& string : strings) {
    const auto size = static_cast<std::uint32_t>(string.size());
    std::memcpy(out, &size, sizeof size);
    out = copy_short(out + sizeof size, string.data(), size);
  }
  return out;
}

/// Writes the header and the value of one field; null when there is no room for them. `put` gets
/// where the value begins and returns where it ends.
template <class Put>
[[gnu::always_inline]] inline std::byte* put_field(const FieldValue& field, std::size_t size,
                                                   std::byte* out, const std::byte* end, Put put) {
  if (static_cast<std::size_t>(end - out) < sizeof(FieldHeader) + size) return nullptr;
  // A FieldHeader, put together in a register: its members would be merged one after the other.
  static_assert(std::endian::native == std::endian::little);
  const auto header = std::uint64_t{size} << 32U |
                      static_cast<std::uint64_t>(field.value.index()) << 8U |
                      static_cast<std::uint64_t>(field.field);
  std::memcpy(out, &header, sizeof header);
  return put(out + sizeof header);
}

template <class T>
[[gnu::always_inline]] inline std::byte* put_fixed(const FieldValue& field, T value, std::byte* out,
                                                   const std::byte* end) {
  return put_field(field, sizeof value, out, end, [&](std::byte* at) {
    std::memcpy(at, &value, sizeof value);
    return at + sizeof value;
  });
}

/// What few fields are.
[[gnu::noinline]] std::byte* encode_other(const FieldValue& field, std::byte* out,
                                          const std::byte* end) {
  if (const auto* boolean = std::get_if<bool>(&field.value)) {
    return put_fixed(field, *boolean, out, end);
  }
  return put_field(field, value_size(field), out, end, [&](std::byte* at) {
    if (const auto* strings = std::get_if<std::span<const std::string>>(&field.value)) {
      return put_strings(at, *strings);
    }
    if (std::holds_alternative<std::nullptr_t>(field.value)) return at;
    const auto text = text_of(field);
    return copy_short(at, text.data(), text.size());
  });
}

}  // namespace

std::size_t encoded_size(std::span<const FieldValue> fields) {
  std::size_t size = 0;
  for (const auto& field : fields) size += sizeof(FieldHeader) + value_size(field);
  return size;
}

/// Strings and numbers, which most fields are, are written here, without a call or a jump through a
/// table.
std::byte* encode(std::span<const FieldValue> fields, std::byte* out, const std::byte* end) {
  WEIR_CHECK(fields.size() <= kMaxFields);
  for (const auto& field : fields) {
    WEIR_CHECK(event::fits(field));
    const auto* string = std::get_if<std::string_view>(&field.value);
    if (string != nullptr && string->size() <= kMaxString) {
      out = put_field(field, string->size(), out, end, [&](std::byte* at) {
        return copy_short(at, string->data(), string->size());
      });
    } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
      out = put_fixed(field, *integer, out, end);
    } else if (const auto* number = std::get_if<double>(&field.value)) {
      out = put_fixed(field, *number, out, end);
    } else {
      out = encode_other(field, out, end);
    }
    if (out == nullptr) return nullptr;
  }
  return out;
}

std::string encode(std::span<const FieldValue> fields) {
  std::string bytes(encoded_size(fields), '\0');
  auto* const begin = reinterpret_cast<std::byte*>(bytes.data());
  WEIR_CHECK(encode(fields, begin, begin + bytes.size()) == begin + bytes.size());
  return bytes;
}

void append_encoded(std::string& out, const EncodedField& field) {
  const FieldHeader header{.field = field.field,
                           .kind = field.kind,
                           .size = static_cast<std::uint32_t>(field.bytes.size())};
  out.append(reinterpret_cast<const char*>(&header), sizeof header).append(field.bytes);
}

std::string_view take_string(std::string_view& bytes) {
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  const auto string = bytes.substr(sizeof size, size);
  bytes.remove_prefix(sizeof size + size);
  return string;
}

}  // namespace weir::record
