#include <simdjson.h>

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "base/utf8.h"

namespace weir::json {
namespace {

using simdjson::ondemand::json_type;

/// Turns offsets into lines and columns. Asked in rising order it reads each byte once.
class PositionCounter {
 public:
  explicit PositionCounter(std::string_view text) : text_(text) {}

  Position at(std::size_t offset) {
    if (offset < offset_) *this = PositionCounter(text_);
    for (; offset_ < offset && offset_ < text_.size(); ++offset_) {
      const auto c = static_cast<unsigned char>(text_[offset_]);
      if (c == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((c & 0xC0U) != 0x80U) {  // columns count characters, not bytes
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  Position position_{1, 1};
};

class Parser {
 public:
  explicit Parser(std::string_view text) : padded_(text), counter_(padded_) {}

  Result<Value> parse() {
    if (const auto error = parser_.iterate(padded_).get(document_)) return fail_at(0, error);
    is_open_ = true;
    auto value = parse_document(document_);
    if (!value) return value;
    const char* after = nullptr;
    if (!document_.current_location().get(after)) {
      return fail_here(offset_of(after), "more text after the value");
    }
    return value;
  }

 private:
  /// simdjson reads a scalar at the top through the document itself, everything else as a value.
  Result<Value> parse_document(simdjson::ondemand::document& document) {
    bool scalar = false;
    if (const auto error = document.is_scalar().get(scalar)) return fail_at(0, error);
    if (!scalar) {
      simdjson::ondemand::value value;
      if (const auto error = document.get_value().get(value)) return fail_at(0, error);
      return parse_value(value, 0);
    }
    const auto offset =
        std::min(std::string_view(padded_).find_first_not_of(" \t\r\n"), padded_.size());
    if (is_other_word(offset)) return fail_here(offset, "not a JSON value");
    auto result =
        is_long_number(offset) ? parse_double(document, offset) : parse_scalar(document, offset);
    if (result) result->position = counter_.at(offset);
    return result;
  }

  /// Of a whole number at the top simdjson (3.0) reads the first 20 characters, and says that these
  /// are all. One that is longer fits no whole number.
  [[nodiscard]] bool is_long_number(std::size_t offset) const {
    constexpr std::size_t kLongestInteger = 20;
    const auto scalar = std::string_view(padded_).substr(offset);
    if (scalar.empty() ||
        (scalar[0] != '-' && std::isdigit(static_cast<unsigned char>(scalar[0])) == 0)) {
      return false;
    }
    return scalar.find_last_not_of(" \t\r\n") >= kLongestInteger;
  }

  /// Of `true`, `false` and `null` at the top simdjson (3.0) reads as many characters, whatever
  /// follows: `false$`.
  [[nodiscard]] bool is_other_word(std::size_t offset) const {
    auto scalar = std::string_view(padded_).substr(offset);
    if (scalar.empty() || std::islower(static_cast<unsigned char>(scalar[0])) == 0) return false;
    scalar = scalar.substr(0, scalar.find_first_of(" \t\r\n"));
    return scalar != "true" && scalar != "false" && scalar != "null";
  }

  Result<Value> parse_value(simdjson::ondemand::value& value, int depth) {
    const char* location = nullptr;
    if (const auto error = value.current_location().get(location)) return fail_at(size(), error);
    const auto offset = offset_of(location);
    if (depth >= kMaxDepth) return fail_here(offset, "nested more than 200 levels deep");
    json_type type{};
    if (const auto error = value.type().get(type)) return fail_at(offset, error);
    const auto position = counter_.at(offset);
    auto result = type == json_type::object  ? parse_object(value, offset, depth)
                  : type == json_type::array ? parse_array(value, offset, depth)
                                             : parse_scalar(value, offset);
    if (result) result->position = position;
    return result;
  }

  Result<Value> parse_object(simdjson::ondemand::value& value, std::size_t offset, int depth) {
    simdjson::ondemand::object source;
    if (const auto error = value.get_object().get(source)) return fail_at(offset, error);
    Object object;
    for (auto item : source) {
      simdjson::ondemand::field field;
      if (const auto error = std::move(item).get(field)) return fail_at(offset, error);
      Member member;
      const auto key_offset = offset_of(field.key().raw()) - 1;
      member.position = counter_.at(key_offset);
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return fail_at(key_offset, error);
      member.key = key;
      WEIR_TRY(member.value, parse_value(field.value(), depth + 1));
      object.append(std::move(member));
    }
    return Value(std::move(object));
  }

  Result<Value> parse_array(simdjson::ondemand::value& value, std::size_t offset, int depth) {
    simdjson::ondemand::array source;
    if (const auto error = value.get_array().get(source)) return fail_at(offset, error);
    Array array;
    for (auto item : source) {
      simdjson::ondemand::value element;
      if (const auto error = std::move(item).get(element)) return fail_at(offset, error);
      WEIR_TRY(auto parsed, parse_value(element, depth + 1));
      array.push_back(std::move(parsed));
    }
    return Value(std::move(array));
  }

  template <class Source>
  Result<Value> parse_scalar(Source& source, std::size_t offset) {
    json_type type{};
    if (const auto error = source.type().get(type)) return fail_at(offset, error);
    if (type == json_type::string) {
      std::string_view text;
      if (const auto error = source.get_string().get(text)) return fail_at(offset, error);
      return Value(text);
    }
    if (type == json_type::number) return parse_number(source, offset);
    if (type == json_type::boolean) {
      bool boolean = false;
      if (const auto error = source.get_bool().get(boolean)) return fail_at(offset, error);
      return Value(boolean);
    }
    bool null = false;
    if (const auto error = source.is_null().get(null)) return fail_at(offset, error);
    if (!null) return fail_here(offset, "not a JSON value");
    return Value(nullptr);
  }

  template <class Source>
  Result<Value> parse_number(Source& source, std::size_t offset) {
    std::int64_t integer = 0;
    if (!source.get_int64().get(integer)) return Value(integer);
    std::uint64_t natural = 0;
    if (!source.get_uint64().get(natural)) return Value(natural);
    return parse_double(source, offset);
  }

  template <class Source>
  Result<Value> parse_double(Source& source, std::size_t offset) {
    double number = 0;
    if (!source.get_double().get(number)) return Value(number);
    return fail_here(offset, "not a number, or one that does not fit in 64 bits");
  }

  [[nodiscard]] std::size_t size() const { return padded_.size(); }
  [[nodiscard]] std::size_t offset_of(const char* place) const {
    return std::min(static_cast<std::size_t>(place - padded_.data()), size());
  }

  std::unexpected<Error> fail_here(std::size_t offset, std::string_view what) {
    const auto position = counter_.at(offset);
    return fail(ErrorCode::kInvalidInput, std::to_string(position.line) + ":" +
                                              std::to_string(position.column) + ": " +
                                              std::string(what));
  }

  /// simdjson names the error; where it can, its reading position is nearer than `offset`.
  std::unexpected<Error> fail_at(std::size_t offset, simdjson::error_code error) {
    const std::string_view text(padded_);
    if (const auto invalid = utf8::first_invalid(text)) return fail_here(*invalid, "not UTF-8");
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return fail_here(0, "empty, a JSON value is expected");
    }
    const char* reached = nullptr;
    if (is_open_ && !document_.current_location().get(reached)) {
      offset = std::max(offset, offset_of(reached));
    }
    return fail_here(offset, "not JSON: " + describe(error, offset));
  }

  [[nodiscard]] std::string describe(simdjson::error_code error, std::size_t offset) const {
    switch (error) {
      case simdjson::UNCLOSED_STRING:
        return "a string is not closed";
      case simdjson::STRING_ERROR:
        return "a string has an invalid escape";
      case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "a list or object is not closed";
      case simdjson::DEPTH_ERROR:
        return "brackets do not match, or are nested too deep";
      case simdjson::UNESCAPED_CHARS:
        return "a control character inside a string";
      default:
        return unexpected(offset);
    }
  }

  /// Names what stands at `offset`.
  [[nodiscard]] std::string unexpected(std::size_t offset) const {
    constexpr std::size_t kMaxShown = 24;
    const auto rest = std::string_view(padded_).substr(offset);
    if (rest.empty()) return "the text ends too early";
    const auto first = static_cast<unsigned char>(rest.front());
    if (first == '\'') return "a string stands in double quotes";
    if (first == '"') return "a string is not expected here";
    if (first < 0x20 || first == 0x7f) return "a control character is not expected here";
    const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0 || c >= 0x80; };
    const auto end = std::find_if_not(rest.begin(), rest.end(), is_letter);
    const auto size = std::max<std::size_t>(1, static_cast<std::size_t>(end - rest.begin()));
    return "'" + std::string(utf8::cut(rest.substr(0, size), kMaxShown)) + "' is not expected here";
  }

  simdjson::padded_string padded_;
  PositionCounter counter_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  bool is_open_ = false;  // document_ can say where it is
};

}  // namespace

Result<Value> parse(std::string_view text) { return Parser(text).parse(); }

}  // namespace weir::json
