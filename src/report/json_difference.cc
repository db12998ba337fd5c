#include "report/json_difference.h"

#include <algorithm>

#include "base/utf8.h"

namespace weir::report {
namespace {

/// Of a value that is shown.
constexpr std::size_t kMostShown = 200;

std::string shown(const json::Value* value) {
  if (value == nullptr) return {};
  const auto text = json::to_text(*value);
  const std::string kept(utf8::cut(text, kMostShown));
  return kept.size() < text.size() ? kept + "…" : kept;
}

std::optional<double> number_of(const json::Value& value) {
  if (const auto* number = std::get_if<double>(&value.variant())) return *number;
  if (const auto* number = value.integer()) return static_cast<double>(*number);
  return {};
}

/// 1 and 1.0 are read as values of two types.
bool is_same_number(const json::Value& left, const json::Value& right) {
  const auto a = number_of(left), b = number_of(right);
  return a && b && left.variant().index() != right.variant().index() && *a == *b;
}

std::string member_path(const std::string& path, std::string_view key) {
  const bool is_word = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
    return c == '_' || c == '-' || c >= 0x80 || std::isalnum(c) != 0;
  });
  if (!is_word) {
    std::string quoted = path + "[";
    json::append_string(quoted, key);
    return quoted + "]";
  }
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

class Search {
 public:
  std::optional<JsonDifference> find(const std::string& path, const json::Value& left,
                                     const json::Value& right, int depth) {
    if (depth > json::kMaxDepth || is_same_number(left, right)) return {};
    if (left.object() != nullptr && right.object() != nullptr)
      return in_objects(path, *left.object(), *right.object(), depth);
    if (left.array() != nullptr && right.array() != nullptr)
      return in_arrays(path, *left.array(), *right.array(), depth);
    if (left == right) return {};
    return JsonDifference{.path = path, .left = shown(&left), .right = shown(&right)};
  }

 private:
  std::optional<JsonDifference> in_objects(const std::string& path, const json::Object& left,
                                           const json::Object& right, int depth) {
    for (const auto& member : left) {
      const auto place = member_path(path, member.key);
      const auto* other = right.find(member.key);
      if (other == nullptr) return JsonDifference{place, shown(&member.value), {}};
      if (auto found = find(place, *left.find(member.key), *other, depth + 1)) return found;
    }
    for (const auto& member : right) {
      if (left.find(member.key) == nullptr)
        return JsonDifference{member_path(path, member.key), {}, shown(&member.value)};
    }
    return {};
  }

  std::optional<JsonDifference> in_arrays(const std::string& path, const json::Array& left,
                                          const json::Array& right, int depth) {
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      const auto place = path + "[" + std::to_string(i) + "]";
      if (i >= left.size()) return JsonDifference{place, {}, shown(&right[i])};
      if (i >= right.size()) return JsonDifference{place, shown(&left[i]), {}};
      if (auto found = find(place, left[i], right[i], depth + 1)) return found;
    }
    return {};
  }
};

}  // namespace

std::optional<JsonDifference> first_difference(const json::Value& left, const json::Value& right) {
  return Search().find("", left, right, 0);
}

}  // namespace weir::report
