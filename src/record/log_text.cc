#include "record/log_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/json.h"
#include "base/time.h"
#include "base/utf8.h"

namespace weir::record {
namespace {

using event::Field;

/// Of one `key=value`: a line is to be looked at, and the whole value is in the log.
constexpr std::size_t kMaxValueBytes = 1024;

/// The character of a valid sequence of UTF-8.
std::uint32_t code_point(std::string_view sequence) {
  constexpr std::array<unsigned, 5> kFirstBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t code = static_cast<unsigned char>(sequence[0]) & kFirstBits[sequence.size()];
  for (const char c : sequence.substr(1)) code = code << 6U | (static_cast<unsigned>(c) & 0x3FU);
  return code;
}

/// C0 and C1 controls, line and paragraph separators, and what turns the direction of text.
bool must_be_escaped(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
         code == 0x061C || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void append_escape(std::string& out, std::uint32_t code) {
  if (code == '\n') return static_cast<void>(out += "\\n");
  if (code == '\r') return static_cast<void>(out += "\\r");
  if (code == '\t') return static_cast<void>(out += "\\t");
  char digits[8];
  const std::string_view text(digits, std::to_chars(digits, digits + sizeof digits, code, 16).ptr);
  out += "\\u";
  out.append(4 - text.size(), '0').append(text);
}

void append_visible(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8::sequence_length(text);
    if (length == 0) {
      out += utf8::kReplacement;
      text.remove_prefix(1);
      continue;
    }
    const auto code = code_point(text.substr(0, length));
    if (must_be_escaped(code)) {
      append_escape(out, code);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
}

/// A value that could be taken for something else is quoted, as JSON.
bool is_plain(std::string_view text) {
  return !text.empty() && text.find_first_of(" \"'=\\") == std::string_view::npos;
}

void append_value(std::string& out, const json::FlatMember& member) {
  switch (member.kind) {
    case json::Kind::kNull:
      return static_cast<void>(out += "null");
    case json::Kind::kBoolean:
      return static_cast<void>(out += member.boolean ? "true" : "false");
    case json::Kind::kInteger:
      return static_cast<void>(out += std::to_string(member.integer));
    case json::Kind::kNumber:
      return json::append_double(out, member.number);
    default:
      break;
  }
  const auto kept = utf8::cut(member.text, kMaxValueBytes);
  std::string text;
  if (member.kind == json::Kind::kString && !is_plain(kept)) {
    json::append_string(text, kept);
  } else {
    text = kept;
  }
  append_visible(out, text);
  if (kept.size() < member.text.size()) out += "…";
}

void append_pair(std::string& out, const json::FlatMember& member) {
  out += ' ';
  append_visible(out, utf8::cut(member.key, kMaxValueBytes));
  out += '=';
  append_value(out, member);
}

bool is_shown_elsewhere(Field field) {
  constexpr std::array kElsewhere = {Field::kLogger, Field::kMessage,      Field::kTraceId,
                                     Field::kSpanId, Field::kParentSpanId, Field::kAttributes};
  return field <= Field::kRunSeq || std::ranges::find(kElsewhere, field) != kElsewhere.end();
}

void append_attributes(std::string& out, std::string_view object) {
  json::FlatReader reader;
  const auto members = reader.read(object);
  if (!members) {  // more than the reader takes
    const auto kept = utf8::cut(object, kMaxValueBytes);
    append_visible(out += ' ', kept);
    if (kept.size() < object.size()) out += "…";
    return;
  }
  for (const auto& member : *members) append_pair(out, member);
}

std::string_view name_of(const event::EventView& event) {
  if (const auto name = event.text(Field::kLogger); !name.empty()) return name;
  if (const auto name = event.text(Field::kComponent); !name.empty()) return name;
  return "weir";
}

}  // namespace

std::string format_text(const event::EventView& event, std::string_view run) {
  auto out = to_string(event.timestamp());
  out.pop_back();  // the Z
  std::ranges::replace(out, 'T', ' ');
  out += " - ";
  append_visible(out, name_of(event));
  out += " - ";
  append_visible(out, event.text(Field::kLevel));
  out += " - ";
  if (event.type() != event::Type::kLog) out.append("[").append(event.type_name()).append("] ");
  append_visible(out, event.text(Field::kMessage));
  if (out.ends_with(' ')) out.pop_back();
  if (const auto* pipeline = event.find(Field::kPipelineId); !run.empty() && pipeline != nullptr) {
    out.append(" run=").append(run);
    append_pair(out, *pipeline);
  }
  for (const auto& info : event::fields()) {
    const auto* member = event.find(info.field);
    if (member != nullptr && !is_shown_elsewhere(info.field)) append_pair(out, *member);
  }
  if (event.has(Field::kAttributes)) append_attributes(out, event.text(Field::kAttributes));
  return out;
}

}  // namespace weir::record
