#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "ingest/protobuf.h"

/// Writes messages for tests of what reads them.
namespace weir::ingest::protobuf::testing_support {

class Message {
 public:
  Message& varint(std::uint32_t number, std::uint64_t value) {
    return put_varint(protobuf::varint(number)).put_varint(value);
  }
  Message& fixed64(std::uint32_t number, std::uint64_t value) {
    return put_varint(protobuf::fixed64(number)).put_fixed(value);
  }
  Message& fixed32(std::uint32_t number, std::uint32_t value) {
    return put_varint(protobuf::fixed32(number)).put_fixed(value);
  }
  Message& number(std::uint32_t number, double value) {
    return fixed64(number, std::bit_cast<std::uint64_t>(value));
  }
  Message& text(std::uint32_t number, std::string_view value) {
    put_varint(protobuf::bytes(number)).put_varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(std::uint32_t number, const Message& value) {
    return text(number, value.bytes_);
  }
  /// Without a tag: for packed numbers.
  Message& put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
    return *this;
  }
  template <class Fixed>
  Message& put_fixed(Fixed value) {
    for (std::size_t i = 0; i < sizeof value; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace weir::ingest::protobuf::testing_support
