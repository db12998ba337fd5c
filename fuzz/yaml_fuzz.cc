// YAML: what is wrong is said with its place, what is read survives the way through JSON, JSON is
// read as the same value at the same places, and plain words resolve as the core schema says.

#include <algorithm>

#include "base/yaml.h"
#include "fuzz/positions.h"

namespace weir::yaml {
namespace {

void check_positions(const json::Value& value, const fuzz::Positions& positions) {
  WEIR_CHECK(positions.offset(value.position));
  if (const auto* array = value.array()) {
    for (const auto& item : *array) check_positions(item, positions);
  }
  if (const auto* object = value.object()) {
    for (const auto& member : *object) {
      WEIR_CHECK(positions.offset(member.position));
      check_positions(member.value, positions);
    }
  }
}

bool same_positions(const json::Value& a, const json::Value& b) {
  if (a.position != b.position) return false;
  if (const auto* array = a.array()) {
    return std::ranges::equal(*array, *b.array(), same_positions);
  }
  const auto* object = a.object();
  return object == nullptr ||
         std::ranges::equal(*object, *b.object(), [](const auto& x, const auto& y) {
           return x.position == y.position && same_positions(x.value, y.value);
         });
}

/// YAML 1.2 has all of JSON but for keys: an implicit key ends within 1024 characters.
bool is_yaml_too(const json::Value& value) {
  constexpr std::size_t kMaxKey = 1000;
  if (const auto* array = value.array()) return std::ranges::all_of(*array, is_yaml_too);
  const auto* object = value.object();
  return object == nullptr || std::ranges::all_of(*object, [](const json::Member& member) {
           return json::to_text(member.key).size() <= kMaxKey && is_yaml_too(member.value);
         });
}

/// Of JSON as we write it: in the text itself there may be escapes that YAML does not know.
void check_json(std::string_view text) {
  const auto value = json::parse(text);
  if (!value || !is_yaml_too(*value)) return;
  for (const auto& written : {json::to_text(*value), json::to_pretty_text(*value)}) {
    const auto as_yaml = parse(written);
    WEIR_CHECK(as_yaml && *as_yaml == *value);
    WEIR_CHECK(same_positions(*as_yaml, *json::parse(written)));
  }
}

std::size_t digits(std::string_view text, std::string_view allowed) {
  return std::min(text.find_first_not_of(allowed), text.size());
}

/// YAML 1.2.2, section 10.3.2: [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+, and
/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_core_number(std::string_view text) {
  constexpr std::string_view kDecimal = "0123456789";
  if (text.starts_with("0o") && text.size() > 2) {
    return digits(text.substr(2), "01234567") == text.size() - 2;
  }
  if (text.starts_with("0x") && text.size() > 2) {
    return digits(text.substr(2), "0123456789abcdefABCDEF") == text.size() - 2;
  }
  const auto skip = [&](std::size_t count) { text.remove_prefix(count); };
  const auto skip_sign = [&] { skip(text.starts_with('+') || text.starts_with('-') ? 1 : 0); };
  skip_sign();
  const auto whole = digits(text, kDecimal);
  skip(whole);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    skip(1);
    fraction = digits(text, kDecimal);
    skip(fraction);
  }
  if (whole + fraction == 0) return false;
  if (text.empty()) return true;
  if (!text.starts_with('e') && !text.starts_with('E')) return false;
  skip(1);
  skip_sign();
  return !text.empty() && digits(text, kDecimal) == text.size();
}

/// Only words of what numbers are made of: all others mean something else in YAML, or themselves.
void check_plain_number(std::string_view text) {
  constexpr std::size_t kMax = 40;
  if (text.empty() || text.size() > kMax || text == "-" || text.starts_with("---")) return;
  if (digits(text, "0123456789+-.eEoxabcdfABCDF") != text.size()) return;
  const auto value = parse("[" + std::string(text) + "]");
  WEIR_CHECK(value && value->array() != nullptr && value->array()->size() == 1);
  const auto& item = value->array()->front();
  const bool is_number = item.string() == nullptr;
  // What fits neither 64 bits nor a double remains a string.
  constexpr std::size_t kFits = 15;
  const bool fits = text.size() <= kFits && text.find_first_of("eE") == std::string_view::npos;
  WEIR_CHECK(is_number ? is_core_number(text) : !(fits && is_core_number(text)));
}

void check(std::string_view text) {
  const fuzz::Positions positions(text);
  if (const auto value = parse(text)) {
    const auto through_json = json::parse(json::to_text(*value));
    WEIR_CHECK(through_json && *through_json == *value);
    check_positions(*value, positions);
  } else {
    WEIR_CHECK(value.error().code == ErrorCode::kInvalidInput);
    const auto position = fuzz::position_of(value.error().message);
    WEIR_CHECK(position && positions.offset(*position));
  }
  check_json(text);
  check_plain_number(text);
}

}  // namespace
}  // namespace weir::yaml

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::yaml::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
