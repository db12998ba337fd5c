// JSON: what is read is written and read back as the same value, every position is where it says,
// and FlatReader reads of an object what `parse` reads.

#include <cctype>

#include "base/json.h"
#include "base/json_flat.h"
#include "fuzz/positions.h"

namespace weir::json {
namespace {

/// Follows the values of a text in the order in which they stand.
class PositionChecker {
 public:
  explicit PositionChecker(std::string_view text) : text_(text), positions_(text) {}

  void check(const Value& value) {
    arrive(value.position, first_characters(value));
    if (const auto* array = value.array()) {
      for (const auto& item : *array) check(item);
    }
    if (const auto* object = value.object()) {
      for (const auto& member : *object) {
        arrive(member.position, "\"");
        check(member.value);
      }
    }
  }

 private:
  static std::string_view first_characters(const Value& value) {
    static constexpr std::string_view kFirst[] = {"n",           "tf", "-0123456789", "-0123456789",
                                                  "-0123456789", "\"", "[",           "{"};
    return kFirst[value.variant().index()];
  }

  void arrive(Position position, std::string_view first) {
    const auto offset = positions_.offset(position);
    WEIR_CHECK(offset && *offset >= next_ && *offset < text_.size());
    WEIR_CHECK(first.contains(text_[*offset]));
    next_ = *offset + 1;
  }

  std::string_view text_;
  fuzz::Positions positions_;
  std::size_t next_ = 0;
};

void check_round_trips(const Value& value) {
  const auto compact = parse(to_text(value));
  WEIR_CHECK(compact && *compact == value);
  const auto pretty = parse(to_pretty_text(value));
  WEIR_CHECK(pretty && *pretty == value);
  WEIR_CHECK(to_text(*compact) == to_text(value));
}

struct SameAsMember {
  const FlatMember& member;

  bool operator()(std::nullptr_t) const { return member.kind == Kind::kNull; }
  bool operator()(bool b) const {
    return member.kind == Kind::kBoolean && member.boolean == b && text_is(b);
  }
  bool operator()(std::int64_t i) const {
    return member.kind == Kind::kInteger && member.integer == i &&
           member.number == static_cast<double>(i) && text_is(i);
  }
  bool operator()(std::uint64_t i) const {
    return member.kind == Kind::kNumber && member.number == static_cast<double>(i) && text_is(i);
  }
  bool operator()(double d) const {
    return member.kind == Kind::kNumber && member.number == d && text_is(d);
  }
  bool operator()(const std::string& s) const {
    return member.kind == Kind::kString && member.text == s;
  }
  bool operator()(const Array& array) const {
    return member.kind == Kind::kArray && text_is(array);
  }
  bool operator()(const Object& object) const {
    return member.kind == Kind::kObject && text_is(object);
  }

  [[nodiscard]] bool text_is(const Value& value) const {
    const auto parsed = parse(member.text);
    const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    return parsed && *parsed == value && !is_space(member.text.front()) &&
           !is_space(member.text.back());
  }
};

void check_flat(std::string_view text, const Result<Value>& parsed) {
  static FlatReader reader;  // reused, as in production: nothing of an earlier line may show
  const auto members = reader.read(text);
  const auto* object = parsed ? parsed->object() : nullptr;
  const bool readable = object != nullptr && object->size() <= FlatReader::kMaxMembers;
  WEIR_CHECK(members.has_value() == readable);
  if (!members) return;
  WEIR_CHECK(members->size() == object->size());
  for (std::size_t i = 0; i < members->size(); ++i) {
    const auto& expected = object->begin()[i];
    WEIR_CHECK((*members)[i].key == expected.key);
    WEIR_CHECK(std::visit(SameAsMember{(*members)[i]}, expected.value.variant()));
  }
}

void check(std::string_view text) {
  const auto parsed = parse(text);
  if (parsed) {
    check_round_trips(*parsed);
    PositionChecker(text).check(*parsed);
  } else {
    WEIR_CHECK(parsed.error().code == ErrorCode::kInvalidInput);
    const auto position = fuzz::position_of(parsed.error().message);
    WEIR_CHECK(position && fuzz::Positions(text).offset(*position));
  }
  check_flat(text, parsed);
}

}  // namespace
}  // namespace weir::json

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::json::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
