#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// The wire format of protocol buffers (protobuf.dev/programming-guides/encoding), as much of it as
/// proto3 messages use. Inline: it is called for every field of every span.
namespace weir::ingest::protobuf {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// What a field is known by: its number and its wire type, for `switch`. One whose number is known
/// and whose type is another is unknown, as it is to every reader of protobuf.
constexpr std::uint32_t tag(std::uint32_t number, WireType type) {
  return number << 3U | static_cast<std::uint32_t>(type);
}
constexpr std::uint32_t varint(std::uint32_t number) { return tag(number, WireType::kVarint); }
constexpr std::uint32_t fixed64(std::uint32_t number) { return tag(number, WireType::kFixed64); }
constexpr std::uint32_t bytes(std::uint32_t number) { return tag(number, WireType::kBytes); }
constexpr std::uint32_t fixed32(std::uint32_t number) { return tag(number, WireType::kFixed32); }

/// What is wrong with a body, and at which of its bytes: the first thing that was. All readers of a
/// body share one, so that it is asked for once, after everything was read.
struct Failure {
  std::string_view body;
  const char* what = nullptr;  ///< null: nothing
  std::size_t offset = 0;

  [[nodiscard]] bool failed() const { return what != nullptr; }
  void fail(const char* reason, const char* at) {
    if (failed()) return;
    what = reason;
    offset = static_cast<std::size_t>(at - body.data());
  }
};

/// The sint32 and sint64 of a varint (ZigZag).
constexpr std::int64_t zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}
inline double as_double(std::uint64_t bits) { return std::bit_cast<double>(bits); }

/// Reads a varint of any length, at most 64 bits in ten bytes, and leaves `at` behind it. Returns
/// what is wrong with it, or null.
[[nodiscard]] inline const char* take_long_varint(const char*& at, const char* end,
                                                  std::uint64_t& value) {
  constexpr unsigned kLastShift = 63;  // nine pieces of seven bits, and one bit
  value = 0;
  for (unsigned shift = 0; at != end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    if (shift == kLastShift && byte > 1) return "a number of more than 64 bits";
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return nullptr;
  }
  return "cut off in a number";
}

/// Goes through the fields of one message, in the order in which they stand in it. Never reads
/// beyond its bytes: what is cut off or too long fails.
///
///   for (Reader reader(message, failure); reader.next();) {
///     switch (reader.tag()) {
///       case bytes(1): name = reader.text(); break;
///       case fixed64(7): start = reader.number(); break;
///     }
///   }
class Reader {
 public:
  /// `message` is `failure.body` or a part of it.
  Reader(std::string_view message, Failure& failure)
      : at_(message.data()), end_(message.data() + message.size()), failure_(failure) {}

  /// Takes the next field, whatever it is; false: there is no more, or what there is is no field,
  /// and then `failure` says so.
  [[nodiscard]] bool next() {
    if (at_ == end_) return false;
    const char* const begin = at_;
    std::uint64_t key = 0;
    if (!take_varint(key)) return false;
    if (key >> 32U != 0 || key < 8) return fail("a field without a number", begin);
    tag_ = static_cast<std::uint32_t>(key);
    switch (static_cast<WireType>(key & 7U)) {
      case WireType::kVarint:
        return take_varint(number_);
      case WireType::kFixed64:
        return take_fixed<std::uint64_t>();
      case WireType::kBytes:
        return take_bytes();
      case WireType::kFixed32:
        return take_fixed<std::uint32_t>();
    }
    return fail("a field of a wire type that is not in use (3 and 4 are groups)", begin);
  }

  [[nodiscard]] std::uint32_t tag() const { return tag_; }
  /// Of a varint or fixed field.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::uint32_t number32() const { return static_cast<std::uint32_t>(number_); }
  /// Of a length-delimited field: a string, bytes, a message or packed numbers.
  [[nodiscard]] std::string_view text() const { return text_; }

  [[nodiscard]] Failure& failure() const { return failure_; }

 private:
  bool fail(const char* what, const char* at) {
    failure_.fail(what, at);
    at_ = end_;
    return false;
  }

  [[nodiscard]] bool take_varint(std::uint64_t& value) {
    if (at_ != end_ && static_cast<signed char>(*at_) >= 0) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    const char* const begin = at_;
    const char* const wrong = take_long_varint(at_, end_, value);
    return wrong == nullptr || fail(wrong, begin);
  }

  template <class Fixed>
  bool take_fixed() {
    if (static_cast<std::size_t>(end_ - at_) < sizeof(Fixed)) {
      return fail("cut off in a number", at_);
    }
    Fixed value = 0;
    std::memcpy(&value, at_, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    number_ = value;
    at_ += sizeof value;
    return true;
  }

  bool take_bytes() {
    const char* const begin = at_;
    std::uint64_t size = 0;
    if (!take_varint(size)) return false;
    if (size > static_cast<std::size_t>(end_ - at_)) {
      return fail("a field is longer than what it stands in", begin);
    }
    text_ = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

  const char* at_;
  const char* const end_;
  Failure& failure_;
  std::uint32_t tag_ = 0;
  std::uint64_t number_ = 0;
  std::string_view text_;
};

/// Goes through packed numbers.
class PackedReader {
 public:
  PackedReader(std::string_view packed, WireType type, Failure& failure)
      : packed_(packed), type_(type), failure_(failure) {}

  /// False: there is no more, or it is cut off.
  [[nodiscard]] bool next(std::uint64_t& value) {
    if (packed_.empty()) return false;
    return type_ == WireType::kVarint ? take_varint(value) : take_fixed64(value);
  }

 private:
  bool take_fixed64(std::uint64_t& value) {
    if (packed_.size() < sizeof value) return fail("cut off in a number");
    std::memcpy(&value, packed_.data(), sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    packed_.remove_prefix(sizeof value);
    return true;
  }
  bool take_varint(std::uint64_t& value) {
    const char* at = packed_.data();
    const char* const wrong = take_long_varint(at, at + packed_.size(), value);
    if (wrong != nullptr) return fail(wrong);
    packed_.remove_prefix(static_cast<std::size_t>(at - packed_.data()));
    return true;
  }
  bool fail(const char* what) {
    failure_.fail(what, packed_.data());
    packed_ = {};
    return false;
  }

  std::string_view packed_;
  WireType type_;
  Failure& failure_;
};

}  // namespace weir::ingest::protobuf
