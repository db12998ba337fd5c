#include "record/line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/copy.h"
#include "base/json.h"
#include "base/utf8.h"
#include "record/encoding.h"

namespace weir::record {
namespace {

using event::Field;

/// `,"name":` and room to copy it in one piece.
struct MemberName {
  std::array<char, 32> text{};
  std::size_t size = 0;
};

template <std::size_t Size>
consteval MemberName member_name(const char (&text)[Size]) {
  static_assert(Size - 1 <= 32);
  MemberName name;
  std::copy_n(text, Size - 1, name.text.begin());
  name.size = Size - 1;
  return name;
}

#define WEIR_MEMBER_NAME(id, name, type, group, doc) member_name(",\"" name "\":"),
constexpr MemberName kMemberNames[] = {WEIR_FIELDS(WEIR_MEMBER_NAME)};
#undef WEIR_MEMBER_NAME

/// Of a line: the timestamp, the names in front, the number, the end, and what may be written
/// beyond it in one step.
constexpr std::size_t kMaxHead = 512;
/// What a field makes of each of its encoded bytes: a quote that is escaped makes six. Those of its
/// header, eight, make its name and quotes.
constexpr std::size_t kMaxExpansion = 6;

char* put_piece(char* out, std::string_view text) {
  return copy_short(out, text.data(), text.size());
}

char* put_integer(char* out, std::int64_t value) {
  return std::to_chars(out, out + json::kMaxNumber, value).ptr;
}

[[gnu::noinline]] char* put_strings(char* out, std::string_view strings) {
  *out++ = '[';
  for (bool first = true; !strings.empty(); first = false) {
    if (!first) *out++ = ',';
    out = json::put_string(out, take_string(strings));
  }
  *out++ = ']';
  return out;
}

[[gnu::always_inline]] inline char* put_value(char* out, const EncodedField& field) {
  if (field.kind == EncodedKind::kString) return json::put_string(out, field.bytes);
  switch (field.kind) {
    case EncodedKind::kNull:
      return put_piece(out, "null");
    case EncodedKind::kBoolean:
      return put_piece(out, field.as<bool>() ? "true" : "false");
    case EncodedKind::kInteger:
      return put_integer(out, field.as<std::int64_t>());
    case EncodedKind::kNumber:
      return json::put_double(out, field.as<double>());
    case EncodedKind::kString:
      return json::put_string(out, field.bytes);
    case EncodedKind::kStrings:
      return put_strings(out, field.bytes);
    case EncodedKind::kObject:
      return put_piece(out, field.bytes);
  }
  return out;
}

/// What stands in `event_type` of a type outside the catalogue: one of the fields says it.
std::string_view custom_type_name(const Line& line) {
  for (auto rest = line.fields; !rest.empty();) {
    if (const auto field = take_field(rest); field.field == Field::kEventType) return field.bytes;
  }
  return "custom";
}

/// Names of the catalogue stand for themselves.
char* put_type_name(char* out, const Line& line) {
  if (line.type == event::Type::kCustom) return json::put_string(out, custom_type_name(line));
  *out++ = '"';
  out = put_piece(out, event::info(line.type).name);
  *out++ = '"';
  return out;
}

[[gnu::always_inline]] inline char* put_member(char* out, const EncodedField& field) {
  if (field.field == Field::kEventType) return out;
  const auto& name = kMemberNames[static_cast<std::size_t>(field.field)];
  std::copy_n(name.text.data(), name.text.size(), out);
  return put_value(out + name.size, field);
}

/// Of a field that is said twice, the order stays.
std::string in_order(std::string_view fields) {
  std::vector<EncodedField> sorted;
  for (auto rest = fields; !rest.empty();) sorted.push_back(take_field(rest));
  std::ranges::stable_sort(sorted, {}, &EncodedField::field);
  std::string result;
  result.reserve(fields.size());
  for (const auto& field : sorted) append_encoded(result, field);
  return result;
}

/// The constants that stand before `field`, or after all fields.
class Constants {
 public:
  explicit Constants(std::span<const RenderedField> all) : at_(all.begin()), end_(all.end()) {}
  [[nodiscard]] char* put_before(char* out, Field field) {
    for (; at_ != end_ && at_->field <= field; ++at_) {
      if (at_->field < field) out = put_piece(out, at_->text);
    }
    return out;
  }
  [[nodiscard]] bool has_up_to(Field field) const { return at_ != end_ && at_->field <= field; }

 private:
  std::span<const RenderedField>::iterator at_, end_;
};

constexpr auto kLastOfPlace = Field::kToolId;
constexpr auto kLastOfAll = static_cast<Field>(event::kFieldCount);

/// Null: `fields` are not in their order. `place` may be null: then no place is known.
char* put_ordered_members(char* out, std::string_view fields,
                          std::span<const RenderedField> constants, LastPlace* place) {
  Constants constant(constants);
  auto last = Field{};
  // Inline: it works on the variables of this function as long as they are in registers.
  const auto put_up_to = [&] [[gnu::always_inline]] (Field to) {
    while (!fields.empty()) {
      auto rest = fields;
      const auto field = take_field(rest);
      if (field.field > to) break;
      if (field.field < last) return false;
      last = field.field;
      fields = rest;
      out = constant.put_before(out, field.field);
      out = put_member(out, field);
    }
    return true;
  };
  if (auto rest = fields; !rest.empty()) out = constant.put_before(out, take_field(rest).field);
  if (place == nullptr) {
    // They go with the others.
  } else if (!place->encoded.empty() && fields.starts_with(place->encoded) &&
             !constant.has_up_to(place->last)) {
    out = put_piece(out, place->text);
    last = place->last;
    fields.remove_prefix(place->encoded.size());
  } else {
    const auto* const begin = fields.data();
    auto* const text = out;
    const bool is_theirs_alone = !constant.has_up_to(kLastOfPlace);
    if (!put_up_to(kLastOfPlace)) return nullptr;
    if (is_theirs_alone && fields.data() != begin) {
      place->encoded.assign(begin, fields.data());
      place->text.assign(text, out);
      place->last = last;
    }
  }
  return put_up_to(kLastOfAll) ? constant.put_before(out, kLastOfAll) : nullptr;
}

/// Nearly every event says its fields in the order of the catalogue: that they are is seen while
/// they are written.
char* put_members(char* out, std::string_view fields, std::span<const RenderedField> constants,
                  LastPlace* place) {
  auto* const end = put_ordered_members(out, fields, constants, place);
  return end != nullptr ? end : put_ordered_members(out, in_order(fields), constants, place);
}

/// `value` under a hundred.
void put_two_digits(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

/// Lets `write` put at most `size` characters at the end of `out`: it gets where, and returns the
/// end.
template <class Write>
void append_written(std::string& out, std::size_t size, const Write& write) {
  const auto before = out.size();
  // Grows by doubling, since what is asked for here is far more than is used.
  if (out.capacity() < before + size) out.reserve(std::max(2 * out.capacity(), before + size));
  out.resize_and_overwrite(before + size, [&](char* text, std::size_t) {
    return static_cast<std::size_t>(write(text + before) - text);
  });
}

}  // namespace

/// Of what every line begins with, only the microseconds are new in most of them.
char* LineRenderer::put_head(char* out, Timestamp time) {
  constexpr std::size_t kTime = 14, kMicros = kTime + 20;  // 2026-01-31T23:59:59.
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (second != second_) {
    format_rfc3339(second, head_.data() + kTime);
    second_ = second;
  }
  copy_short(out, head_.data(), head_.size());
  const auto micros = static_cast<unsigned>((time - second).count());
  put_two_digits(out + kMicros, micros / 10'000);
  put_two_digits(out + kMicros + 2, micros / 100 % 100);
  put_two_digits(out + kMicros + 4, micros % 100);
  return out + head_.size();
}

std::size_t max_size(const Line& line) {
  std::size_t size = kMaxHead + line.run.size() + kMaxExpansion * line.fields.size();
  for (const auto& constant : line.constants) size += constant.text.size();
  return size;
}

char* LineRenderer::put(char* out, const Line& line) {
  const auto* const begin = out;
  out = put_head(out, line.timestamp);
  out = put_type_name(out, line);
  out = put_piece(out, R"(,"level":")");
  out = put_piece(out, event::to_string(line.level));
  *out++ = '"';
  out = put_piece(out, line.run);
  number_offset_ = static_cast<std::size_t>(out - begin);
  out = put_integer(out, line.seq);
  auto* const place = repeats_ == Repeats::kPlaces ? &place_ : nullptr;
  return put_piece(put_members(out, line.fields, line.constants, place), "}\n");
}

void LineRenderer::append(std::string& out, const Line& line) {
  append_written(out, max_size(line), [&](char* at) { return put(at, line); });
}

RenderedField render(const event::FieldValue& field) {
  const auto encoded = encode({&field, 1});
  RenderedField rendered{.field = field.field, .text = {}};
  append_written(rendered.text, kMaxHead + kMaxExpansion * encoded.size(),
                 [&](char* at) { return put_members(at, encoded, {}, nullptr); });
  return rendered;
}

std::string with_member(std::string_view member, std::string_view attributes) {
  if (attributes.size() >= 2) attributes = attributes.substr(1, attributes.size() - 2);
  std::string text("{");
  text += member;
  if (attributes.find_first_not_of(" \t\r\n") != std::string::npos) {
    text.append(",").append(attributes);
  }
  return text += '}';
}

std::string cut_fields(std::string_view fields) {
  std::string cut, attributes, lengths;
  while (!fields.empty()) {
    auto field = take_field(fields);
    const auto length = field.bytes.size();
    if (length > kMaxCutValue) {
      lengths.append(lengths.empty() ? "" : ",").append("\"").append(event::info(field.field).name);
      lengths.append("\":").append(std::to_string(length));
      field.bytes = field.kind == EncodedKind::kString   ? utf8::cut(field.bytes, kMaxCutValue)
                    : field.kind == EncodedKind::kObject ? std::string_view("{}")
                                                         : std::string_view();
    }
    if (field.field == Field::kAttributes) {
      attributes = field.bytes;
    } else {
      append_encoded(cut, field);
    }
  }
  const auto text = with_member("\"cut_bytes\":{" + lengths + "}", attributes);
  append_encoded(cut, {.field = Field::kAttributes, .kind = EncodedKind::kObject, .bytes = text});
  return cut;
}

}  // namespace weir::record
