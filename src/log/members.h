#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/json.h"

namespace weir::log {

/// The JSON object of a line of one of our files, closed by a member `crc32c` of the text before
/// it. `text` is the object without its last brace.
[[nodiscard]] inline std::string with_checksum(std::string text) {
  char check[32];
  std::snprintf(check, sizeof check, R"(,"crc32c":"%08x"})", crc32c(text));
  return std::move(text.append(check));
}

/// The members of an object of one of our files. What is not there, or is something else, is noted,
/// and reads as zero or empty.
class Members {
 public:
  explicit Members(const json::Object* object) : object_(object) {}
  explicit Members(const json::Value& value) : object_(value.object()) {}

  [[nodiscard]] const json::Value* find(const char* key) {
    const auto* member = object_ == nullptr ? nullptr : object_->find(key);
    is_good_ = is_good_ && member != nullptr;
    return member;
  }
  [[nodiscard]] std::string text(const char* key) {
    const auto* member = find(key);
    const auto* text = member == nullptr ? nullptr : member->string();
    is_good_ = is_good_ && text != nullptr;
    return text == nullptr ? "" : *text;
  }
  [[nodiscard]] std::uint64_t number(const char* key) {
    const auto* member = find(key);
    const auto* number = member == nullptr ? nullptr : member->integer();
    is_good_ = is_good_ && number != nullptr && *number >= 0;
    return is_good_ ? static_cast<std::uint64_t>(*number) : 0;
  }
  template <class T>
  [[nodiscard]] T parsed(const char* key, std::optional<T> (*parse)(std::string_view)) {
    const auto value = parse(text(key));
    is_good_ = is_good_ && value;
    return value.value_or(T());
  }
  /// Gives each item of a list to `take`, until one is not as it should be: then it says false.
  template <class Take>
  void each(const char* key, const Take& take) {
    const auto* member = find(key);
    const auto* items = member == nullptr ? nullptr : member->array();
    is_good_ = is_good_ && items != nullptr;
    for (std::size_t i = 0; is_good_ && i < items->size(); ++i) is_good_ = take((*items)[i]);
  }
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  const json::Object* object_;
  bool is_good_ = true;
};

}  // namespace weir::log
