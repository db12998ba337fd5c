#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/copy.h"
#include "base/json.h"

namespace weir::ingest {

/// JSON that is written front to back into memory that is kept for the next text. Commas are put
/// where they belong; brackets are the caller's.
class JsonText {
 public:
  static constexpr std::size_t kMaxString = std::size_t{4} << 20;

  [[nodiscard]] std::string_view view() const { return {text_.get(), size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  /// Takes back what was written after the first `size` bytes.
  void cut_to(std::size_t size) { size_ = size; }

  void open(char bracket) {
    separate();
    text_[size_++] = bracket;
  }
  void close(char bracket) {
    room(1);
    text_[size_++] = bracket;
  }
  /// `"name":`, before a value. The name stands for itself: nothing in it must be escaped.
  void member(std::string_view name) {
    separate(name.size() + 3);
    char* out = text_.get() + size_;
    *out++ = '"';
    out = copy_short(out, name.data(), name.size());
    *out++ = '"';
    *out++ = ':';
    end_at(out);
  }
  /// The same of a name that somebody else chose.
  void key(std::string_view name) {
    string(name);
    room(1);
    text_[size_++] = ':';
  }

  /// More than kMaxString is cut off: no line holds so much.
  void string(std::string_view value) {
    value = value.substr(0, kMaxString);
    separate(6 * value.size() + 18);
    end_at(json::put_string(text_.get() + size_, value));
  }
  template <class Integer>
  void integer(Integer value) {
    separate(json::kMaxNumber);
    end_at(std::to_chars(text_.get() + size_, text_.get() + size_ + json::kMaxNumber, value).ptr);
  }
  /// What JSON has no number for is a string: "NaN", "Infinity", "-Infinity".
  void number(double value) {
    if (!std::isfinite(value)) {
      return string(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    }
    separate(json::kMaxNumber);
    end_at(json::put_double(text_.get() + size_, value));
  }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }
  /// A value, or members, as JSON; empty: nothing.
  void raw(std::string_view json) {
    if (json.empty()) return;
    separate(json.size());
    end_at(copy_short(text_.get() + size_, json.data(), json.size()));
  }
  /// Bytes as a string of base64 (RFC 4648, with padding).
  void base64(std::string_view bytes);

 private:
  void end_at(const char* end) { size_ = static_cast<std::size_t>(end - text_.get()); }
  void room(std::size_t size) {
    if (capacity_ - size_ < size) grow(size);
  }
  /// Makes room for a value of `size` bytes, and puts a comma if something stands before it. No
  /// value ends in one of the bytes after which there is none.
  void separate(std::size_t size = 1) {
    room(size + 1);
    if (size_ == 0) return;
    const char last = text_[size_ - 1];
    if (last != '{' && last != '[' && last != ':') text_[size_++] = ',';
  }
  void grow(std::size_t size);

  std::unique_ptr<char[]> text_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace weir::ingest
