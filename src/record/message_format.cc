#include "record/message_format.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace weir::record {
namespace {

struct Appender {
  std::string& out;
  std::size_t room;

  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::string_view text) const { out += utf8::cut(text, room); }
  template <class Number>
  void operator()(Number number) const {
    std::array<char, 32> buffer;
    out.append(buffer.data(),
               std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr);
  }
};

void append(std::string& out, const MessageValue& value, std::size_t limit) {
  std::visit(Appender{out, limit - std::min(limit, out.size())}, value);
}

}  // namespace

std::string format_message(std::string_view format, std::span<const MessageValue> values,
                           std::size_t limit) {
  std::string out;
  while (!format.empty() && out.size() < limit) {
    const auto brace = std::min(format.find_first_of("{}"), format.size());
    out += utf8::cut(format.substr(0, brace), limit - out.size());
    format.remove_prefix(brace);
    if (format.empty()) break;
    const auto two = format.substr(0, 2);
    if (two == "{}" && !values.empty()) {
      append(out, values.front(), limit);
      values = values.subspan(1);
      format.remove_prefix(2);
    } else if (two == "{{" || two == "}}") {
      out += two[0];
      format.remove_prefix(2);
    } else {
      out += format[0];
      format.remove_prefix(1);
    }
  }
  for (const auto& value : values) {
    if (out.size() >= limit) break;
    out += ' ';
    append(out, value, limit);
  }
  return out;
}

}  // namespace weir::record
