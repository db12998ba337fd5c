#include "base/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"

namespace weir::yaml {
namespace {

/// Aliases repeat what they name: nine lines can stand for billions of values. No honest file has
/// this many.
constexpr std::size_t kMaxValues = 1'000'000;

std::unexpected<Error> fail_at(const YAML::Mark& mark, std::string_view what) {
  const bool known = mark.line >= 0;
  return fail(ErrorCode::kInvalidInput, std::to_string(known ? mark.line + 1 : 1) + ":" +
                                            std::to_string(known ? mark.column + 1 : 1) + ": " +
                                            std::string(what));
}

json::Position position_of(const YAML::Node& node) {
  const auto mark = node.Mark();
  return {static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1)};
}

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number{};
  const auto end = text.data() + text.size();
  const auto [stopped, error] = [&] {
    if constexpr (std::is_floating_point_v<Number>) {
      return std::from_chars(text.data(), end, number);
    } else {
      return std::from_chars(text.data(), end, number, base);
    }
  }();
  if (error != std::errc() || stopped != end) return {};
  return number;
}

/// The core schema of YAML 1.2.2, section 10.3.2.
json::Value resolve_plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.starts_with("0x")) {
    if (const auto hex = whole_number<std::int64_t>(std::string_view(text).substr(2), 16))
      return *hex;
  }
  if (text.starts_with("0o")) {
    if (const auto octal = whole_number<std::int64_t>(std::string_view(text).substr(2), 8)) {
      return *octal;
    }
  }
  const std::string_view digits = std::string_view(text).substr(text[0] == '+' ? 1 : 0);
  if (const auto integer = whole_number<std::int64_t>(digits)) return *integer;
  if (const auto natural = whole_number<std::uint64_t>(digits)) return *natural;
  const bool numeric = digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  if (const auto number = numeric ? whole_number<double>(digits) : std::nullopt) return *number;
  return text;
}

class Converter {
 public:
  Result<json::Value> convert(const YAML::Node& node, int depth) {
    if (depth > json::kMaxDepth) return fail_at(node.Mark(), "nested more than 200 levels deep");
    if (++values_ > kMaxValues) return fail_at(node.Mark(), "more than a million values");
    auto value = convert_one(node, depth);
    if (value) value->position = position_of(node);
    return value;
  }

 private:
  Result<json::Value> convert_one(const YAML::Node& node, int depth) {
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return json::Value();
      case YAML::NodeType::Scalar:
        // "!" is the tag of a quoted scalar: always a string.
        return node.Tag() == "!" ? json::Value(node.Scalar()) : resolve_plain(node.Scalar());
      case YAML::NodeType::Sequence:
        return convert_sequence(node, depth);
      case YAML::NodeType::Map:
        return convert_map(node, depth);
    }
    return fail_at(node.Mark(), "not a YAML value");
  }

  Result<json::Value> convert_sequence(const YAML::Node& node, int depth) {
    json::Array array;
    for (const auto& item : node) {
      WEIR_TRY(auto value, convert(item, depth + 1));
      array.push_back(std::move(value));
    }
    return json::Value(std::move(array));
  }

  Result<json::Value> convert_map(const YAML::Node& node, int depth) {
    json::Object object;
    for (const auto& item : node) {
      if (!item.first.IsScalar()) return fail_at(item.first.Mark(), "a key must be a plain word");
      json::Member member{
          .key = item.first.Scalar(), .value = {}, .position = position_of(item.first)};
      WEIR_TRY(member.value, convert(item.second, depth + 1));
      object.append(std::move(member));
    }
    return json::Value(std::move(object));
  }

  std::size_t values_ = 0;
};

}  // namespace

Result<json::Value> parse(std::string_view text) {
  if (const auto invalid = utf8::first_invalid(text)) {
    const auto before = text.substr(0, *invalid);
    const auto line = std::count(before.begin(), before.end(), '\n');
    const auto column = *invalid - (before.rfind('\n') + 1);
    return fail(ErrorCode::kInvalidInput,
                std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": not UTF-8");
  }
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.size() != 1) {
      return fail(ErrorCode::kInvalidInput,
                  documents.empty() ? "1:1: empty" : "1:1: more than one YAML document");
    }
    return Converter().convert(documents.front(), 0);
  } catch (const YAML::Exception& exception) {
    return fail_at(exception.mark, "not YAML: " + exception.msg);
  }
}

}  // namespace weir::yaml
