// Encoding: any fields, in any order, come out of encode and LineRenderer as JSON that says the
// same of the same fields, in the order of the catalogue.

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>
#include <vector>

#include "base/json.h"
#include "fuzz/input.h"
#include "fuzz/utf8_reference.h"
#include "record/encoding.h"
#include "record/line.h"

namespace weir::record {
namespace {

using event::Field;
using event::FieldType;
using event::FieldValue;

/// A field with the JSON value that a reader must find. What `value` views is in the Maker.
struct Made {
  FieldValue value;
  json::Value expected;
};

/// Makes fields of any value from the input.
class Maker {
 public:
  explicit Maker(fuzz::Input& input) : input_(input) {}

  Made make(Field field) {
    if (field == event::kNullable && input_.coin()) return {{field, nullptr}, nullptr};
    switch (event::info(field).type) {
      case FieldType::kString:
      case FieldType::kTimestamp:
        return make_string(field);
      case FieldType::kNumber:
        if (input_.coin()) return make_number(field);
        [[fallthrough]];
      case FieldType::kInteger: {
        const auto integer = input_.take<std::int64_t>();
        return {{field, integer}, integer};
      }
      case FieldType::kBoolean: {
        const bool boolean = input_.coin();
        return {{field, boolean}, boolean};
      }
      case FieldType::kStrings:
        return make_strings(field);
      case FieldType::kObject:
        return make_object(field);
    }
    std::abort();
  }

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::string any_text() { return std::string(input_.text(input_.below(kMaxText))); }

  Made make_string(Field field) {
    const auto text = keep(any_text());
    return {{field, text}, fuzz::utf8_repaired(text)};
  }

  Made make_number(Field field) {
    const auto number = input_.take<double>();
    // JSON has no word for these.
    if (!std::isfinite(number)) return {{field, number}, nullptr};
    return {{field, number}, number};
  }

  Made make_strings(Field field) {
    auto& strings = lists_.emplace_back(input_.below(kMaxList));
    json::Array expected;
    for (auto& text : strings) {
      text = any_text();
      expected.emplace_back(fuzz::utf8_repaired(text));
    }
    return {{field, std::span<const std::string>(strings)}, std::move(expected)};
  }

  Made make_object(Field field) {
    json::Object object;
    const auto size = input_.below(kMaxList);
    for (std::size_t i = 0; i < size; ++i) {
      object.append({fuzz::utf8_repaired(any_text()), fuzz::utf8_repaired(any_text())});
    }
    const auto json = keep(json::to_text(object));
    return {{field, event::ObjectText{json}}, std::move(object)};
  }

  static constexpr std::size_t kMaxText = 64, kMaxList = 5;
  fuzz::Input& input_;
  std::deque<std::string> texts_;
  std::deque<std::vector<std::string>> lists_;
};

/// Each field at most once, in an order of the input's.
std::vector<Field> choose_fields(fuzz::Input& input, std::size_t limit) {
  std::vector<Field> chosen;
  std::set<Field> seen;
  const auto wanted = input.below(limit + 1);
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto number = input.below(event::kFieldCount);
    if (static_cast<Field>(number) == Field::kEventType) continue;  // stands in front
    if (seen.insert(static_cast<Field>(number)).second) {
      chosen.push_back(static_cast<Field>(number));
    }
  }
  return chosen;
}

std::string encoded(const std::vector<Made>& made) {
  std::vector<FieldValue> values;
  for (const auto& one : made) values.push_back(one.value);
  // Exactly as large as promised: one byte more, and the address sanitizer stops it.
  return encode(values);
}

void check_line(const std::string& members, const std::vector<const Made*>& expected) {
  WEIR_CHECK(members.empty() == expected.empty());
  const auto line = "{" + (members.empty() ? members : members.substr(1)) + "}";
  WEIR_CHECK(!line.contains('\n'));
  const auto value = json::parse(line);
  WEIR_CHECK(value && value->object() && value->object()->size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& member = value->object()->begin()[i];
    const auto& made = *expected[i];
    WEIR_CHECK(member.key == event::info(made.value.field).name);
    WEIR_CHECK(member.value == made.expected);
  }
}

void check(fuzz::Input& input) {
  Maker maker(input);
  std::vector<Made> constants, own;
  std::vector<RenderedField> rendered;
  auto constant_fields = choose_fields(input, 8);
  std::ranges::sort(constant_fields);
  for (const auto field : constant_fields) {
    constants.push_back(maker.make(field));
    rendered.push_back(render(constants.back().value));
  }
  for (const auto field : choose_fields(input, kMaxFields)) own.push_back(maker.make(field));

  std::vector<const Made*> expected;
  std::set<Field> said;
  for (const auto& one : own) {
    expected.push_back(&one);
    said.insert(one.value.field);
  }
  for (const auto& one : constants) {
    if (!said.contains(one.value.field)) expected.push_back(&one);
  }
  std::ranges::sort(expected, {}, [](const Made* one) { return one->value.field; });

  const auto fields = encoded(own);
  std::string line;
  LineRenderer().append(line, {.timestamp = {},
                               .type = event::Type::kLog,
                               .level = event::Level::kInfo,
                               .run = ",\"run_seq\":",
                               .seq = 1,
                               .fields = fields,
                               .constants = rendered});
  constexpr std::string_view kHead =
      R"({"timestamp":"1970-01-01T00:00:00.000000Z","event_type":"log","level":"INFO","run_seq":1)";
  WEIR_CHECK(line.starts_with(kHead) && line.ends_with("}\n"));
  check_line(line.substr(kHead.size(), line.size() - kHead.size() - 2), expected);
}

}  // namespace
}  // namespace weir::record

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::fuzz::Input input({reinterpret_cast<const char*>(data), size});
  weir::record::check(input);
  return 0;
}
