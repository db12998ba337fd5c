#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string_view>

#include "base/json_flat.h"

namespace weir::json {

/// Reads one JSON text (RFC 8259) front to back, by whoever knows what should be in it: for large
/// texts of which no tree is wanted, and of which one wrong value must not cost the rest.
///
///   reader.begin_object();
///   for (std::string_view key; reader.next_member(key);) {
///     if (key == "name") name = reader.string(); else reader.skip();
///   }
///   reader.end();
///   if (reader.failed()) …
///
/// Each value is read or skipped exactly once. Lenient where nothing is lost by it: bytes that are
/// not UTF-8 are given as they are, half a surrogate pair is U+FFFD, numbers may be of any size.
///
/// Failure  The first thing that is wrong is kept, and from then on nothing is found: loops end.
/// Lifetime What is returned is good as long as the reader and its text are.
class PullReader {
 public:
  explicit PullReader(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}
  PullReader(const PullReader&) = delete;
  PullReader& operator=(const PullReader&) = delete;

  struct Number {
    Kind kind = Kind::kInteger;  ///< or kNumber
    std::int64_t integer = 0;    ///< kInteger: fits 64 bits, signed
    double number = 0;           ///< both; infinite when it does not fit
    std::string_view text;       ///< as written
  };

  /// What comes next: kNumber for any number; kNull also after a failure.
  [[nodiscard]] Kind peek();

  void begin_object() { begin('{', "an object should be here"); }
  /// False after the last member.
  [[nodiscard]] bool next_member(std::string_view& key);
  void begin_array() { begin('[', "a list should be here"); }
  /// False after the last item.
  [[nodiscard]] bool next_item();

  /// Without quotes and escapes.
  [[nodiscard]] std::string_view string();
  [[nodiscard]] Number number();
  [[nodiscard]] bool boolean();
  void null() { word("null"); }
  /// Whatever comes next.
  void skip() { skip(0); }
  /// There must be no more.
  void end();

  /// Whatever comes next, to be read later by `go_to`: only its brackets and quotes are looked at.
  [[nodiscard]] std::string_view defer();
  /// Goes on with `value`, which defer() gave, or where position() was.
  void go_to(const char* value) { at_ = failed() ? end_ : value; }
  [[nodiscard]] const char* position() const { return at_; }

  void fail(const char* what) { fail(what, at_); }
  [[nodiscard]] bool failed() const { return what_ != nullptr; }
  /// What was wrong, and at which byte.
  [[nodiscard]] const char* what() const { return what_; }
  [[nodiscard]] std::size_t offset() const { return offset_; }

 private:
  void fail(const char* what, const char* at);
  void begin(char bracket, const char* wanted);
  void word(std::string_view word);
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }
  /// Whether a value or member follows before `closing`, which is taken.
  [[nodiscard]] bool next(char closing);
  void skip(int depth);
  void skip_nested(int depth);
  /// From after the quote that begins a string to the one that ends it; null: there is none.
  [[nodiscard]] const char* find_quote(const char* at, bool& escaped) const;
  [[nodiscard]] std::string_view unescaped(std::string_view raw);
  [[nodiscard]] char* unescape(std::string_view& raw, char* out);

  const char* begin_;
  const char* at_;
  const char* end_;
  bool first_ = false;  // of the list or object that has just begun nothing was read yet
  const char* what_ = nullptr;
  std::size_t offset_ = 0;
  std::pmr::monotonic_buffer_resource unescaped_;
};

}  // namespace weir::json
