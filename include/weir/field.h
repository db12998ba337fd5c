#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// What an event says: fields of the catalogue (weir/fields.h), and attributes of your own.
///
/// Lifetimes  Everything here is a view, read before the call that takes it returns.
namespace weir {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError, kFatal };

/// A list of texts.
class Strings {
 public:
  Strings() noexcept = default;
  Strings(const std::vector<std::string>& texts) noexcept : Strings(texts.data(), texts.size()) {}
  Strings(std::initializer_list<std::string> texts) noexcept
      : Strings(texts.begin(), texts.size()) {}
  Strings(const std::string* data, std::size_t size) noexcept : data_(data), size_(size) {}

  [[nodiscard]] const std::string* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const std::string* data_ = nullptr;
  std::size_t size_ = 0;
};

/// An object or array as JSON text.
struct Json {
  std::string_view text;
};

/// What an attribute or a place in a message says.
class Value {
 public:
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kUnsigned,
    kNumber,
    kText,
    kStrings,
    kJson
  };

  Value(std::nullptr_t) noexcept : integer_(0) {}
  template <class T, std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, char>, int> = 0>
  Value(T value) noexcept {
    if constexpr (std::is_same_v<T, bool>) {
      boolean_ = value;
      kind_ = Kind::kBoolean;
    } else if constexpr (std::is_floating_point_v<T>) {
      number_ = static_cast<double>(value);
      kind_ = Kind::kNumber;
    } else if constexpr (std::is_signed_v<T>) {
      integer_ = value;
      kind_ = Kind::kInteger;
    } else {
      unsigned_ = value;
      kind_ = Kind::kUnsigned;
    }
  }
  template <class T, std::enable_if_t<std::is_convertible_v<const T&, std::string_view>, int> = 0>
  Value(const T& text) noexcept : text_(text), kind_(Kind::kText) {}
  Value(Strings strings) noexcept : strings_(strings), kind_(Kind::kStrings) {}
  Value(Json json) noexcept : text_(json.text), kind_(Kind::kJson) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  // Each only for its kind; `text` also for kJson.
  [[nodiscard]] bool boolean() const noexcept { return boolean_; }
  [[nodiscard]] std::int64_t integer() const noexcept { return integer_; }
  [[nodiscard]] std::uint64_t unsigned_integer() const noexcept { return unsigned_; }
  [[nodiscard]] double number() const noexcept { return number_; }
  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] Strings strings() const noexcept { return strings_; }

 private:
  union {
    bool boolean_;
    std::int64_t integer_;
    std::uint64_t unsigned_;
    double number_;
    std::string_view text_;
    Strings strings_;
  };
  Kind kind_ = Kind::kNull;
};

/// Fields of the catalogue, by what they hold: a value of another type does not compile. The
/// constants are in weir/fields.h.
struct TextField {
  std::uint8_t index;
};
struct NullableTextField : TextField {};  ///< may be said to be null
struct IntegerField {
  std::uint8_t index;
};
struct NumberField {
  std::uint8_t index;
};
struct BooleanField {
  std::uint8_t index;
};
struct StringsField {
  std::uint8_t index;
};
struct ObjectField {
  std::uint8_t index;
};

/// One thing that an event says.
///
///   run.emit(EventType::kCheckpointCreated, {{field::kNodeId, "load"},
///                                            {field::kRows, 1200},
///                                            {"shard", 7}});             // an attribute
class Field {
 public:
  static constexpr std::uint8_t kAttribute = 255;

  Field(TextField field, std::string_view text) noexcept : value_(text), index_(field.index) {}
  Field(TextField, std::nullptr_t) = delete;
  Field(NullableTextField field, std::nullptr_t) noexcept : value_(nullptr), index_(field.index) {}
  template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  Field(IntegerField field, T value) noexcept : value_(value), index_(field.index) {}
  template <class T, std::enable_if_t<std::is_arithmetic_v<T> && !std::is_same_v<T, bool>, int> = 0>
  Field(NumberField field, T value) noexcept
      : value_(static_cast<double>(value)), index_(field.index) {}
  template <class T, std::enable_if_t<std::is_same_v<T, bool>, int> = 0>
  Field(BooleanField field, T value) noexcept : value_(value), index_(field.index) {}
  Field(StringsField field, Strings strings) noexcept : value_(strings), index_(field.index) {}
  Field(ObjectField field, Json object) noexcept : value_(object), index_(field.index) {}
  /// An attribute, of any name.
  Field(std::string_view name, Value value) noexcept : name_(name), value_(value) {}

  /// Of the field in the catalogue, or kAttribute.
  [[nodiscard]] std::uint8_t index() const noexcept { return index_; }
  /// Of an attribute.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] const Value& value() const noexcept { return value_; }

 private:
  std::string_view name_;
  Value value_;
  std::uint8_t index_ = kAttribute;
};

/// All that an event says.
class Fields {
 public:
  Fields() noexcept = default;
  Fields(std::initializer_list<Field> fields) noexcept : Fields(fields.begin(), fields.size()) {}
  Fields(const std::vector<Field>& fields) noexcept : Fields(fields.data(), fields.size()) {}
  Fields(const Field* data, std::size_t size) noexcept : data_(data), size_(size) {}

  [[nodiscard]] const Field* begin() const noexcept { return data_; }
  [[nodiscard]] const Field* end() const noexcept { return data_ + size_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  const Field* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weir
