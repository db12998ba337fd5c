#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

/// JSON in memory: for pipeline files, payloads and settings. Events on hot paths do not pass here.
namespace weir::json {

/// Where a value began in its file, both from 1. Line 0: it came from no file.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Position&) const = default;
};

/// Deeper nesting is refused: our walks recurse, and nobody writes it by hand.
inline constexpr int kMaxDepth = 200;

class Value;
struct Member;
using Array = std::vector<Value>;

/// Members in the order written. A key given twice is kept twice; `find` returns the last one, and
/// `set` replaces it in its place.
class Object {
 public:
  // Defined below: Member is incomplete here.
  Object();
  Object(const Object&);
  Object(Object&&) noexcept;
  Object& operator=(const Object&);
  Object& operator=(Object&&) noexcept;
  ~Object();
  bool operator==(const Object&) const;

  [[nodiscard]] const Value* find(std::string_view key) const;
  void set(std::string_view key, Value value);
  /// Adds at the end without looking for `member.key`.
  void append(Member member);
  /// `set` for every member of `other`, in its order: the merge of payloads.
  void update(const Object& other);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const Member* begin() const;
  [[nodiscard]] const Member* end() const;

 private:
  std::vector<Member> members_;
};

class Value {
 public:
  using Variant = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, Array, Object>;

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(std::int64_t value) : data_(value) {}
  /// Kept unsigned only above the signed range, so that equal numbers compare equal.
  Value(std::uint64_t value);
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(Array value) : data_(std::move(value)) {}
  Value(Object value) : data_(std::move(value)) {}

  /// Compares what was said, not where.
  bool operator==(const Value& other) const { return data_ == other.data_; }

  [[nodiscard]] bool is_null() const { return data_.index() == 0; }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::int64_t* integer() const { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const Array* array() const { return std::get_if<Array>(&data_); }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&data_); }
  [[nodiscard]] Object* object() { return std::get_if<Object>(&data_); }
  [[nodiscard]] const Variant& variant() const { return data_; }

  /// "a string", "a number", … as messages name it.
  [[nodiscard]] std::string_view kind() const;

  Position position;

 private:
  Variant data_;
};

struct Member {
  std::string key;
  Value value;
  Position position{};  ///< of the key
  bool operator==(const Member& other) const { return key == other.key && value == other.value; }
};

// Inline: a run makes, moves and drops several objects for each node, most of them empty.
inline Object::Object() = default;
inline Object::Object(const Object&) = default;
inline Object::Object(Object&&) noexcept = default;
inline Object& Object::operator=(const Object&) = default;
inline Object& Object::operator=(Object&&) noexcept = default;
inline Object::~Object() = default;
inline std::size_t Object::size() const { return members_.size(); }
inline const Member* Object::begin() const { return members_.data(); }
inline const Member* Object::end() const { return members_.data() + members_.size(); }

/// Reads one JSON text (RFC 8259) whole. Errors: kInvalidInput, the message beginning with
/// "LINE:COLUMN: ", for anything else, invalid UTF-8, nesting over kMaxDepth, and numbers that fit
/// neither 64 bits nor a double.
[[nodiscard]] Result<Value> parse(std::string_view text);

/// The shortest text that reads back as the same value. Doubles keep a `.0`; those that JSON cannot
/// say (NaN, infinities) become null.
[[nodiscard]] std::string to_text(const Value& value);
[[nodiscard]] std::string to_text(const Object& object);
void append(std::string& out, const Value& value);
/// Indented by two spaces a level, for people.
[[nodiscard]] std::string to_pretty_text(const Value& value);

/// Appends `text` quoted and escaped. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);
void append_double(std::string& out, double value);

/// The same for whoever has made room at `out`: six bytes for each of `text` and 18 more, two for
/// its quotes and 16 that may be written beyond it; kMaxNumber for a number. Return where the
/// text ends.
inline constexpr std::size_t kMaxNumber = 32;
[[nodiscard]] char* put_string(char* out, std::string_view text);
[[nodiscard]] char* put_double(char* out, double value);

}  // namespace weir::json
