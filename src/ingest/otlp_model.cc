#include "ingest/otlp_model.h"

#include <algorithm>
#include <cstring>

#include "base/id.h"
#include "base/text.h"

namespace weir::ingest::otlp {
namespace {

constexpr auto kHexOfByte = [] {
  std::array<std::array<char, 2>, 256> table{};
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 256; ++i) table[i] = {kDigits[i >> 4U], kDigits[i & 15U]};
  return table;
}();

/// Lower case of each hexadecimal digit, 0 of all else.
constexpr auto kLowerHex = [] {
  std::array<char, 256> table{};
  for (const char c : std::string_view("0123456789abcdef")) {
    table[static_cast<unsigned char>(c)] = c;
    if (c >= 'a') table[static_cast<unsigned char>(c - 'a' + 'A')] = c;
  }
  return table;
}();

bool is_all_zero(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

void Id::set_bytes(std::string_view bytes, std::size_t digits_wanted) {
  is_text = false;
  raw = bytes;
  size = static_cast<std::uint8_t>(digits_wanted);
  state = bytes.empty() ? State::kAbsent : State::kWrong;
  if (bytes.size() * 2 != digits_wanted) return;
  bool zero = true;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    std::memcpy(digits.data() + 2 * i, kHexOfByte[byte].data(), 2);
    zero = zero && byte == 0;
  }
  state = zero ? State::kZero : State::kGood;
}

void Id::set_text(std::string_view text, std::size_t digits_wanted) {
  is_text = true;
  raw = text;
  size = static_cast<std::uint8_t>(digits_wanted);
  state = text.empty() ? State::kAbsent : State::kWrong;
  if (text.size() != digits_wanted) return;
  for (std::size_t i = 0; i < text.size(); ++i) {
    digits[i] = kLowerHex[static_cast<unsigned char>(text[i])];
    if (digits[i] == 0) return;
  }
  state = is_all_zero(Id::text()) ? State::kZero : State::kGood;
}

bool Id::is_base64() const {
  // 16 bytes are 24 characters, the last two `=`; 8 bytes are 12, the last one `=`.
  return is_text && state == State::kWrong && raw.size() == (size == kTrace ? 24 : 12) &&
         raw.ends_with('=');
}

std::string Id::reason(std::string_view name) const {
  const auto wanted = size == 0 ? std::string() : std::to_string(size);
  std::string reason(name);
  if (state == State::kAbsent) return reason += " is missing";
  if (state == State::kZero) return reason += " is all zero";
  if (is_base64()) {
    return reason += " is base64: OTLP has ids in JSON as " + wanted + " hexadecimal digits";
  }
  if (!is_text) {
    return reason +=
           " has " + text::count(raw.size(), "byte") + " instead of " + std::to_string(size / 2);
  }
  constexpr std::size_t kMaxQuoted = 40;
  reason += " \"" + text::printable(raw.substr(0, kMaxQuoted)) + "\" is not " + wanted;
  return reason += " hexadecimal digits";
}

void Id::put_raw(JsonText& out) const {
  if (is_text) return out.string(raw);
  out.string(to_hex(reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()));
}

void Resource::clear() {
  attributes.clear();
  known.clear();
  dropped_attributes = 0;
  schema_url = {};
  problem.clear();
}

void Scope::clear() {
  name = version = schema_url = {};
  attributes.clear();
  known.clear();
  dropped_attributes = 0;
  problem.clear();
}

void SpanEvent::clear() {
  time = {};
  name = {};
  dropped_attributes = 0;
  attributes.clear();
  known.clear();
}

void SpanLink::clear() {
  trace_id.clear();
  span_id.clear();
  trace_state = {};
  dropped_attributes = flags = 0;
  attributes.clear();
  known.clear();
}

void Span::clear() {
  trace_id.clear();
  span_id.clear();
  parent_span_id.clear();
  trace_state = name = status_message = {};
  start = end = {};
  kind = status_code = flags = dropped_attributes = dropped_events = dropped_links = 0;
  attributes.clear();
  events.clear();
  links.clear();
  exception.clear();
  problem.clear();
}

void Span::add(const SpanEvent& event) {
  if (event.name == "exception") exception = event.known;
  events.open('{');
  put_nanoseconds(events, "time_unix_nano", event.time);
  put_text(events, "name", event.name);
  put_object(events, "attributes", event.attributes);
  put_count(events, "dropped_attributes_count", event.dropped_attributes);
  events.close('}');
}

void Span::add(const SpanLink& link) {
  links.open('{');
  put_id(links, "trace_id", link.trace_id);
  put_id(links, "span_id", link.span_id);
  put_text(links, "trace_state", link.trace_state);
  put_object(links, "attributes", link.attributes);
  put_count(links, "dropped_attributes_count", link.dropped_attributes);
  put_count(links, "flags", link.flags);
  links.close('}');
}

void LogRecord::clear() {
  trace_id.clear();
  span_id.clear();
  time = observed = {};
  severity_number = dropped_attributes = flags = 0;
  severity_text = event_name = {};
  body = {};
  body_json.clear();
  attributes.clear();
  problem.clear();
}

void put_scalar(JsonText& json, const Scalar& value) {
  switch (value.kind) {
    case Scalar::Kind::kString:
    case Scalar::Kind::kBytes:
      return json.string(value.text);
    case Scalar::Kind::kBoolean:
      return json.boolean(value.boolean);
    case Scalar::Kind::kInteger:
      return json.integer(value.integer);
    case Scalar::Kind::kNumber:
      return json.number(value.number);
    case Scalar::Kind::kNone:
    case Scalar::Kind::kList:
    case Scalar::Kind::kMap:
      return json.null();
  }
}

void put_id(JsonText& json, std::string_view name, const Id& id) {
  if (id.state == Id::State::kAbsent) return;
  json.member(name);
  if (id.good()) return json.string(id.text());
  id.put_raw(json);
}

void put_nanoseconds(JsonText& json, std::string_view name, const Nanoseconds& time) {
  if (time.count == 0 && time.verbatim.empty()) return;
  json.member(name);
  json.string(time.verbatim.empty() ? std::to_string(time.count) : std::string(time.verbatim));
}

void put_rest_of_time(JsonText& json, std::string_view name, const Nanoseconds& time) {
  if (time.count % 1000 != 0 || !time.verbatim.empty()) put_nanoseconds(json, name, time);
}

void put_object(JsonText& json, std::string_view name, const JsonText& members) {
  if (members.empty()) return;
  json.member(name);
  json.open('{');
  json.raw(members.view());
  json.close('}');
}

void put_count(JsonText& json, std::string_view name, std::uint32_t count) {
  if (count == 0) return;
  json.member(name);
  json.integer(count);
}

void put_text(JsonText& json, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  json.member(name);
  json.string(text);
}

}  // namespace weir::ingest::otlp
