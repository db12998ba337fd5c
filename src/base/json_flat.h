#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace weir::json {

enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

/// One member of an object, as views into the reader that gave it.
struct FlatMember {
  std::string_view key;
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;  ///< kInteger: fits 64 bits, signed
  double number = 0;         ///< kNumber and kInteger
  bool all_strings = false;  ///< kArray: its items are
  std::string_view text;     ///< kString: without quotes and escapes; otherwise the JSON as written
};

/// Reads one JSON object a call into its members, nested values left as text: for event lines, of
/// which there are millions. Allocates only to grow. Not for texts that people wrote: `parse` says
/// better where they are wrong.
class FlatReader {
 public:
  /// More members are refused: an event has about a hundred fields.
  static constexpr std::size_t kMaxMembers = 256;

  FlatReader();
  ~FlatReader();
  FlatReader(FlatReader&&) noexcept;
  FlatReader& operator=(FlatReader&&) noexcept;

  /// The members in the order written. Valid until the next call. Errors: kInvalidInput.
  [[nodiscard]] Result<std::span<const FlatMember>> read(std::string_view object);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::json
