#include "record/encoding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/result.h"
#include "base/utf8.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldValue;

/// Index of a FieldValue's variant, as written.
enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kStrings, kObject };

/// Before each value. `size` counts the bytes that follow it.
struct Header {
  Field field;
  Kind kind;
  std::uint32_t size;
};

std::size_t strings_size(std::span<const std::string> strings) {
  std::size_t size = 0;
  for (const auto& string : strings) size += sizeof(std::uint32_t) + string.size();
  return size;
}

std::size_t value_size(const FieldValue::Value& value) {
  switch (static_cast<Kind>(value.index())) {
    case Kind::kNull:
      return 0;
    case Kind::kBoolean:
      return 1;
    case Kind::kInteger:
    case Kind::kNumber:
      return 8;
    case Kind::kString:
      return std::min(std::get<std::string_view>(value).size(), kMaxString);
    case Kind::kStrings:
      return strings_size(std::get<std::span<const std::string>>(value));
    case Kind::kObject:
      return std::get<event::ObjectText>(value).json.size();
  }
  return 0;
}

std::byte* put(std::byte* out, const void* bytes, std::size_t size) {
  if (size > 0) std::memcpy(out, bytes, size);
  return out + size;
}

std::byte* put_strings(std::byte* out, std::span<const std::string> strings) {
  for (const auto& string : strings) {
    const auto size = static_cast<std::uint32_t>(string.size());
    out = put(out, &size, sizeof size);
    out = put(out, string.data(), string.size());
  }
  return out;
}

std::byte* put_value(std::byte* out, const FieldValue::Value& value) {
  switch (static_cast<Kind>(value.index())) {
    case Kind::kNull:
      return out;
    case Kind::kBoolean:
      return put(out, &std::get<bool>(value), 1);
    case Kind::kInteger:
      return put(out, &std::get<std::int64_t>(value), 8);
    case Kind::kNumber:
      return put(out, &std::get<double>(value), 8);
    case Kind::kString: {
      const auto text = std::get<std::string_view>(value).substr(0, kMaxString);
      return put(out, text.data(), text.size());
    }
    case Kind::kStrings:
      return put_strings(out, std::get<std::span<const std::string>>(value));
    case Kind::kObject: {
      const auto text = std::get<event::ObjectText>(value).json;
      return put(out, text.data(), text.size());
    }
  }
  return out;
}

template <class T>
T get(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

void append_integer(std::string& out, std::int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_strings(std::string& out, const std::byte* bytes, std::size_t size) {
  out += '[';
  for (const auto* end = bytes + size; bytes < end;) {
    if (out.back() != '[') out += ',';
    const auto length = get<std::uint32_t>(bytes);
    bytes += sizeof length;
    json::append_string(out, {reinterpret_cast<const char*>(bytes), length});
    bytes += length;
  }
  out += ']';
}

/// What was cut of an event that is too long.
struct Cuts {
  std::string members;     // of `cut_bytes`: "field":bytes
  std::string attributes;  // members that the event has of its own
};

/// The value as it may be in a line that is too long.
std::string_view cut_value(Header& header, const std::byte* bytes, Cuts& cuts) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), header.size);
  if (text.size() <= kMaxCutValue) return text;
  if (!cuts.members.empty()) cuts.members += ',';
  cuts.members.append("\"").append(event::info(header.field).name).append("\":");
  append_integer(cuts.members, static_cast<std::int64_t>(text.size()));
  const auto kept = header.kind == Kind::kString   ? utf8::cut(text, kMaxCutValue)
                    : header.kind == Kind::kObject ? std::string_view("{}")
                                                   : std::string_view();
  header.size = static_cast<std::uint32_t>(kept.size());
  return kept;
}

void append_member(std::string& out, Header header, const std::byte* bytes) {
  out += ",\"";
  out += event::info(header.field).name;
  out += "\":";
  const std::string_view text(reinterpret_cast<const char*>(bytes), header.size);
  switch (header.kind) {
    case Kind::kNull:
      out += "null";
      break;
    case Kind::kBoolean:
      out += get<bool>(bytes) ? "true" : "false";
      break;
    case Kind::kInteger:
      append_integer(out, get<std::int64_t>(bytes));
      break;
    case Kind::kNumber:
      json::append_double(out, get<double>(bytes));
      break;
    case Kind::kString:
      json::append_string(out, text);
      break;
    case Kind::kStrings:
      append_strings(out, bytes, header.size);
      break;
    case Kind::kObject:
      out += text;
      break;
  }
}

}  // namespace

std::size_t encoded_size(std::span<const FieldValue> fields) {
  std::size_t size = 0;
  for (const auto& field : fields) size += sizeof(Header) + value_size(field.value);
  return size;
}

void encode(std::span<const FieldValue> fields, std::byte* out) {
  WEIR_CHECK(fields.size() <= kMaxFields);
  for (const auto& field : fields) {
    WEIR_CHECK(event::fits(field));
    const Header header{.field = field.field,
                        .kind = static_cast<Kind>(field.value.index()),
                        .size = static_cast<std::uint32_t>(value_size(field.value))};
    out = put(out, &header, sizeof header);
    out = put_value(out, field.value);
  }
}

namespace {

/// Calls `append` for each encoded field in the order of the catalogue.
template <class Append>
void for_each_in_order(std::span<const std::byte> encoded, const Append& append) {
  std::array<const std::byte*, kMaxFields> places;  // not initialised: 1 KiB of zeros an event
  std::size_t count = 0;
  const auto field_at = [](const std::byte* place) { return get<Header>(place).field; };
  for (const auto* at = encoded.data(); at < encoded.data() + encoded.size();) {
    places[count++] = at;
    at += sizeof(Header) + get<Header>(at).size;
  }
  const auto in_order = [&](const std::byte* a, const std::byte* b) {
    return std::pair(field_at(a), a) < std::pair(field_at(b), b);
  };
  if (!std::is_sorted(places.begin(), places.begin() + count, in_order)) {
    std::sort(places.begin(), places.begin() + count, in_order);
  }
  for (std::size_t i = 0; i < count; ++i)
    append(get<Header>(places[i]), places[i] + sizeof(Header));
}

/// The constants that stand before `field`, or after all fields.
class Constants {
 public:
  explicit Constants(std::span<const RenderedField> all) : at_(all.begin()), end_(all.end()) {}
  void append_before(std::string& out, Field field) {
    for (; at_ != end_ && at_->field <= field; ++at_) {
      if (at_->field < field) out += at_->text;
    }
  }
  void append_rest(std::string& out) {
    for (; at_ != end_; ++at_) out += at_->text;
  }

 private:
  std::span<const RenderedField>::iterator at_, end_;
};

}  // namespace

void append_members(std::string& out, std::span<const std::byte> encoded,
                    std::span<const RenderedField> constants) {
  Constants constant(constants);
  for_each_in_order(encoded, [&](Header header, const std::byte* bytes) {
    constant.append_before(out, header.field);
    append_member(out, header, bytes);
  });
  constant.append_rest(out);
}

void append_cut_members(std::string& out, std::span<const std::byte> encoded,
                        std::span<const RenderedField> constants) {
  Constants constant(constants);
  Cuts cuts;
  for_each_in_order(encoded, [&](Header header, const std::byte* bytes) {
    const auto kept = cut_value(header, bytes, cuts);
    if (header.field == Field::kAttributes) {
      cuts.attributes = kept.substr(1, kept.size() - 2);
      return;
    }
    constant.append_before(out, header.field);
    append_member(out, header, reinterpret_cast<const std::byte*>(kept.data()));
  });
  constant.append_rest(out);
  out.append(",\"attributes\":{\"cut_bytes\":{").append(cuts.members).append("}");
  if (cuts.attributes.find_first_not_of(" \t\r\n") != std::string::npos)
    out.append(",").append(cuts.attributes);
  out += '}';
}

RenderedField render(const FieldValue& field) {
  std::string bytes(encoded_size({&field, 1}), '\0');
  encode({&field, 1}, reinterpret_cast<std::byte*>(bytes.data()));
  RenderedField rendered{.field = field.field, .text = {}};
  append_members(rendered.text, std::as_bytes(std::span(bytes)), {});
  return rendered;
}

}  // namespace weir::record
