#include <array>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace weir::json {
namespace {

/// 0: copied as it is. 1: written as \u00XX. 2: starts or continues a UTF-8 sequence. Otherwise the
/// letter after the backslash.
constexpr auto kEscapes = [] {
  std::array<char, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 1;
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 2;
  table['"'] = '"';
  table['\\'] = '\\';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  return table;
}();

void append_control(std::string& out, unsigned char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const char text[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
  out.append(text, sizeof text);
}

template <class Integer>
void append_integer(std::string& out, Integer value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append_newline(std::string& out, int indent) {
  if (indent >= 0) out.append("\n").append(static_cast<std::size_t>(indent) * 2, ' ');
}

/// `indent` is the level of the line that `value` stands on, -1 for one line.
void append_value(std::string& out, const Value& value, int indent);

void append_items(std::string& out, const Array& items, int indent) {
  if (items.empty()) return static_cast<void>(out += "[]");
  const int inner = indent < 0 ? -1 : indent + 1;
  char separator = '[';
  for (const auto& item : items) {
    out += separator;
    append_newline(out, inner);
    append_value(out, item, inner);
    separator = ',';
  }
  append_newline(out, indent);
  out += ']';
}

void append_members(std::string& out, const Object& object, int indent) {
  if (object.empty()) return static_cast<void>(out += "{}");
  const int inner = indent < 0 ? -1 : indent + 1;
  char separator = '{';
  for (const auto& member : object) {
    out += separator;
    append_newline(out, inner);
    append_string(out, member.key);
    out += indent < 0 ? ":" : ": ";
    append_value(out, member.value, inner);
    separator = ',';
  }
  append_newline(out, indent);
  out += '}';
}

void append_value(std::string& out, const Value& value, int indent) {
  struct Visitor {
    std::string& out;
    int indent;
    void operator()(std::nullptr_t) const { out += "null"; }
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t i) const { append_integer(out, i); }
    void operator()(std::uint64_t i) const { append_integer(out, i); }
    void operator()(double d) const { append_double(out, d); }
    void operator()(const std::string& s) const { append_string(out, s); }
    void operator()(const Array& a) const { append_items(out, a, indent); }
    void operator()(const Object& o) const { append_members(out, o, indent); }
  };
  std::visit(Visitor{out, indent}, value.variant());
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[c];
    if (escape == 0) {
      ++i;
      continue;
    }
    if (escape == 2) {
      if (const auto length = utf8::sequence_length(text.substr(i))) {
        i += length;
        continue;
      }
    }
    out.append(text, plain, i - plain);
    if (escape == 1) {
      append_control(out, c);
    } else if (escape == 2) {
      out += utf8::kReplacement;
    } else {
      out += '\\';
      out += escape;
    }
    plain = ++i;
  }
  out.append(text, plain);
  out += '"';
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) return static_cast<void>(out += "null");
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string_view text(buffer, end);
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append(std::string& out, const Value& value) { append_value(out, value, -1); }

std::string to_text(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string to_pretty_text(const Value& value) {
  std::string out;
  append_value(out, value, 0);
  return out;
}

}  // namespace weir::json
