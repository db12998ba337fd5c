// JSON: what is read is written and read back as the same value, every position is where it says,
// and FlatReader reads of an object what `parse` reads, PullReader of any value.

#include <cctype>

#include "base/json.h"
#include "base/json_flat.h"
#include "base/json_pull.h"
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

Value pulled(PullReader& reader) {
  switch (reader.peek()) {
    case Kind::kObject: {
      Object object;
      reader.begin_object();
      for (std::string_view key; reader.next_member(key);) {
        const std::string name(key);
        object.append({name, pulled(reader)});
      }
      return object;
    }
    case Kind::kArray: {
      Array array;
      reader.begin_array();
      while (reader.next_item()) array.push_back(pulled(reader));
      return array;
    }
    case Kind::kString:
      return reader.string();
    case Kind::kBoolean:
      return reader.boolean();
    case Kind::kInteger:
    case Kind::kNumber: {
      const auto number = reader.number();
      if (number.kind == Kind::kInteger) return number.integer;
      const auto parsed = parse(number.text);  // of 64 bits without a sign
      WEIR_CHECK(parsed);
      return *parsed;
    }
    case Kind::kNull:
      reader.null();
      return nullptr;
  }
  return nullptr;
}

/// It reads more than `parse` does: what is not UTF-8, and numbers of any size.
void check_pull(std::string_view text, const Result<Value>& parsed) {
  PullReader skipping(text), deferring(text);
  skipping.skip();
  skipping.end();
  const auto deferred = deferring.defer();
  if (!skipping.failed()) {
    WEIR_CHECK(!deferring.failed());
    WEIR_CHECK(text.find(deferred) == text.find_first_not_of(" \t\r\n"));
    deferring.end();
    WEIR_CHECK(!deferring.failed());
  } else {
    WEIR_CHECK(skipping.offset() <= text.size());
  }
  if (!parsed) return;
  WEIR_CHECK(!skipping.failed());
  PullReader reader(text);
  WEIR_CHECK(pulled(reader) == *parsed);
  reader.end();
  WEIR_CHECK(!reader.failed());
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
  check_pull(text, parsed);
}

}  // namespace
}  // namespace weir::json

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::json::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
