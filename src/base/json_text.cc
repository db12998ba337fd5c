#include "base/json_text.h"

#include <algorithm>

#include "base/json.h"

namespace weir::json {
std::size_t string_size(std::string_view text) {
  for (auto end = text.find('"', 1); end != std::string_view::npos; end = text.find('"', end + 1)) {
    // A quote is escaped by an odd number of backslashes.
    if ((end - text.substr(0, end).find_last_not_of('\\')) % 2 == 1) return end + 1;
  }
  return std::string_view::npos;
}

void append_strings(std::string_view list, std::vector<std::string>& out) {
  if (list.find('\\') == std::string_view::npos) {
    // Every second quote ends one.
    for (auto rest = list; rest.find('"') != std::string_view::npos;) {
      rest.remove_prefix(rest.find('"') + 1);
      const auto size = rest.find('"');
      out.emplace_back(rest.substr(0, size));
      rest.remove_prefix(size + 1);
    }
    return;
  }
  const auto value = parse(list);
  if (!value || value->array() == nullptr) return;
  for (const auto& item : *value->array()) {
    if (item.string() != nullptr) out.push_back(*item.string());
  }
}

void append_compact(std::string& out, std::string_view value) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < value.size();) {
    const char c = value[i];
    if (c == '"') {
      i += string_size(value.substr(i));
      continue;
    }
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      out.append(value.substr(begin, i - begin));
      begin = i + 1;
    }
    ++i;
  }
  out.append(value.substr(begin));
}

int depth_of(std::string_view value) {
  int depth = 0, deepest = 0;
  for (std::size_t i = 0; i < value.size();) {
    const char c = value[i];
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == '}') --depth;
    i += c == '"' ? string_size(value.substr(i)) : 1;
  }
  return deepest;
}

}  // namespace weir::json
