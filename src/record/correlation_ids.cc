#include "record/correlation_ids.h"

#include <algorithm>

#include "base/utf8.h"

namespace weir::record {

json::Object CorrelationIds::to_object() const {
  json::Object object;
  for (const auto& names : kCorrelationIdNames) {
    const auto& id = this->*names.member;
    if (!names.key.empty() && !id.empty()) object.append({std::string(names.key), id});
  }
  for (const auto& [key, value] : extra) {
    if (object.find(key) == nullptr) object.append({key, value});
  }
  return object;
}

bool is_id(std::string_view text) {
  if (text.empty() || text.size() > CorrelationIds::kMaxIdBytes) return false;
  if (text.front() == ' ' || text.back() == ' ') return false;
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  return std::ranges::none_of(text, is_control) && !utf8::first_invalid(text);
}

}  // namespace weir::record
