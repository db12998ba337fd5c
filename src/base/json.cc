#include "base/json.h"

#include <unordered_map>

namespace weir::json {

bool Object::operator==(const Object&) const = default;

const Value* Object::find(std::string_view key) const {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->key == key) return &member->value;
  }
  return nullptr;
}

void Object::set(std::string_view key, Value value) {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    if (member->key == key) {
      member->value = std::move(value);
      return;
    }
  }
  members_.push_back({std::string(key), std::move(value)});
}

void Object::append(Member member) { members_.push_back(std::move(member)); }

void Object::update(const Object& other) {
  // Payloads have a handful of keys. From here on an index pays for itself.
  constexpr std::size_t kIndexFrom = 32;
  if (members_.size() + other.size() < kIndexFrom) {
    for (const auto& member : other) set(member.key, member.value);
    return;
  }
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < members_.size(); ++i) index[members_[i].key] = i;
  for (const auto& member : other) {
    const auto [place, added] = index.try_emplace(member.key, members_.size());
    if (added) {
      members_.push_back(member);
    } else {
      members_[place->second].value = member.value;
    }
  }
}

Value::Value(std::uint64_t value) {
  if (std::in_range<std::int64_t>(value)) {
    data_ = static_cast<std::int64_t>(value);
  } else {
    data_ = value;
  }
}

std::string_view Value::kind() const {
  static constexpr std::string_view kKinds[] = {"null",     "a boolean", "a number", "a number",
                                                "a number", "a string",  "a list",   "an object"};
  return kKinds[data_.index()];
}

}  // namespace weir::json
