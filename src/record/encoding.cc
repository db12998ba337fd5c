#include "record/encoding.h"

#include <algorithm>

#include "base/copy.h"
#include "base/result.h"

namespace weir::record {
namespace {

using event::FieldValue;

/// Before each value. `size` counts the bytes that follow it.
struct FieldHeader {
  event::Field field;
  EncodedKind kind;
  std::uint32_t size;
};
static_assert(sizeof(FieldHeader) == 8);

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

std::byte* put_value(std::byte* out, const FieldValue& field) {
  switch (static_cast<EncodedKind>(field.value.index())) {
    case EncodedKind::kNull:
      return out;
    case EncodedKind::kBoolean:
      std::memcpy(out, std::get_if<bool>(&field.value), 1);
      return out + 1;
    case EncodedKind::kInteger:
      std::memcpy(out, std::get_if<std::int64_t>(&field.value), 8);
      return out + 8;
    case EncodedKind::kNumber:
      std::memcpy(out, std::get_if<double>(&field.value), 8);
      return out + 8;
    case EncodedKind::kString:
    case EncodedKind::kObject: {
      const auto text = text_of(field);
      return copy_short(out, text.data(), text.size());
    }
    case EncodedKind::kStrings:
      return put_strings(out, *std::get_if<std::span<const std::string>>(&field.value));
  }
  return out;
}

}  // namespace

std::size_t encoded_size(std::span<const FieldValue> fields) {
  std::size_t size = 0;
  for (const auto& field : fields) size += sizeof(FieldHeader) + value_size(field);
  return size;
}

std::byte* encode(std::span<const FieldValue> fields, std::byte* out, const std::byte* end) {
  WEIR_CHECK(fields.size() <= kMaxFields);
  for (const auto& field : fields) {
    WEIR_CHECK(event::fits(field));
    const auto size = value_size(field);
    if (static_cast<std::size_t>(end - out) < sizeof(FieldHeader) + size) return nullptr;
    const FieldHeader header{.field = field.field,
                             .kind = static_cast<EncodedKind>(field.value.index()),
                             .size = static_cast<std::uint32_t>(size)};
    std::memcpy(out, &header, sizeof header);
    out = put_value(out + sizeof header, field);
  }
  return out;
}

std::string encode(std::span<const FieldValue> fields) {
  std::string bytes(encoded_size(fields), '\0');
  auto* const begin = reinterpret_cast<std::byte*>(bytes.data());
  WEIR_CHECK(encode(fields, begin, begin + bytes.size()) == begin + bytes.size());
  return bytes;
}

EncodedField take_field(std::string_view& encoded) {
  FieldHeader header;
  std::memcpy(&header, encoded.data(), sizeof header);
  const EncodedField field{.field = header.field,
                           .kind = header.kind,
                           .bytes = encoded.substr(sizeof header, header.size)};
  encoded.remove_prefix(sizeof header + header.size);
  return field;
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
