#include "ingest/protobuf.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace weir::ingest::protobuf {
namespace {

using namespace std::string_literals;

/// One field as a line, "NUMBER:TYPE=VALUE"; then what is wrong.
std::vector<std::string> fields_of(std::string_view message) {
  std::vector<std::string> fields;
  // In memory of its own, without a byte after it that could be read by mistake.
  const std::vector<char> exact(message.begin(), message.end());
  Failure failure{.body = {exact.data(), exact.size()}};
  for (Reader reader(failure.body, failure); reader.next();) {
    const auto type = static_cast<WireType>(reader.tag() & 7U);
    fields.push_back(
        std::to_string(reader.tag() >> 3U) + ":" + std::to_string(static_cast<int>(type)) + "=" +
        (type == WireType::kBytes ? std::string(reader.text()) : std::to_string(reader.number())));
  }
  if (failure.failed()) {
    fields.push_back("byte " + std::to_string(failure.offset) + ": " + failure.what);
  }
  return fields;
}

using Fields = std::vector<std::string>;

// The bytes of the examples in protobuf.dev/programming-guides/encoding, and limits.
TEST(ProtobufReader, ReadsEveryWireType) {
  EXPECT_EQ(fields_of("\x08\x96\x01"s), Fields{"1:0=150"});
  EXPECT_EQ(fields_of("\x12\x07testing"s), Fields{"2:2=testing"});
  EXPECT_EQ(fields_of("\x12\x00"s), Fields{"2:2="});
  EXPECT_EQ(fields_of("\x19\x01\x02\x03\x04\x05\x06\x07\x08"s), Fields{"3:1=578437695752307201"});
  EXPECT_EQ(fields_of("\x25\x01\x02\x03\x04"s), Fields{"4:5=67305985"});
  EXPECT_EQ(fields_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s),
            Fields{"1:0=18446744073709551615"});
  EXPECT_EQ(fields_of(""), Fields{});
}

TEST(ProtobufReader, ReadsFieldsInTheOrderInWhichTheyStandAndOfAnyNumber) {
  EXPECT_EQ(fields_of("\x10\x01\x08\x02\x10\x03"s), (Fields{"2:0=1", "1:0=2", "2:0=3"}));
  EXPECT_EQ(fields_of("\xf8\xff\xff\xff\x0f\x05"s), Fields{"536870911:0=5"});
  EXPECT_EQ(fields_of("\x88\x80\x00\x05"s), Fields{"1:0=5"}) << "a tag that is longer than need be";
}

TEST(ProtobufReader, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(fields_of("\x08\x01\x08"s), (Fields{"1:0=1", "byte 3: cut off in a number"}));
  EXPECT_EQ(fields_of("\x08\x96"s), Fields{"byte 1: cut off in a number"});
  EXPECT_EQ(fields_of("\x19\x01\x02\x03\x04\x05\x06\x07"s), Fields{"byte 1: cut off in a number"});
  EXPECT_EQ(fields_of("\x25\x01\x02\x03"s), Fields{"byte 1: cut off in a number"});
  EXPECT_EQ(fields_of("\x12\x08testing"s),
            Fields{"byte 1: a field is longer than what it stands in"});
  EXPECT_EQ(fields_of("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"s),
            Fields{"byte 1: a field is longer than what it stands in"});
  EXPECT_EQ(fields_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s),
            Fields{"byte 1: a number of more than 64 bits"});
  EXPECT_EQ(fields_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"s),
            Fields{"byte 1: a number of more than 64 bits"});
  EXPECT_EQ(fields_of("\x00\x01"s), Fields{"byte 0: a field without a number"});
  EXPECT_EQ(fields_of("\x80\x80\x80\x80\x10\x01"s), Fields{"byte 0: a field without a number"});
}

TEST(ProtobufReader, RefusesGroupsAndTypesThatAreNotInUse) {
  for (const auto message : {"\x0b\x01", "\x0c\x01", "\x0e\x01", "\x0f\x01"}) {
    EXPECT_EQ(fields_of(message),
              Fields{"byte 0: a field of a wire type that is not in use (3 and 4 are groups)"});
  }
}

TEST(ProtobufReader, FindsNothingMoreAfterAFailure) {
  Failure failure{.body = "\x0b\x08\x01"};
  Reader reader(failure.body, failure);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
  failure.fail("later", failure.body.data() + 2);
  EXPECT_EQ(failure.offset, 0U) << "the first one counts";
}

std::vector<std::uint64_t> packed(std::string_view bytes, WireType type, bool fails) {
  std::vector<std::uint64_t> numbers;
  Failure failure{.body = bytes};
  PackedReader reader(bytes, type, failure);
  for (std::uint64_t number = 0; reader.next(number);) numbers.push_back(number);
  EXPECT_EQ(failure.failed(), fails);
  return numbers;
}

TEST(ProtobufPackedReader, ReadsNumbersAndSaysWhereTheyAreCutOff) {
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(packed("\x03\x8e\x02\x9e\xa7\x05"s, WireType::kVarint, false),
            (Numbers{3, 270, 86942}));
  EXPECT_EQ(packed("\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"s, WireType::kFixed64, false),
            (Numbers{1, 2}));
  EXPECT_EQ(packed("\x03\x8e"s, WireType::kVarint, true), Numbers{3});
  EXPECT_EQ(packed("\x01\0\0\0\0\0\0\0\x02"s, WireType::kFixed64, true), Numbers{1});
}

TEST(ProtobufNumbers, AreReadAsSigned) {
  EXPECT_EQ(zigzag(0), 0);
  EXPECT_EQ(zigzag(1), -1);
  EXPECT_EQ(zigzag(2), 1);
  EXPECT_EQ(zigzag(0xFFFFFFFFFFFFFFFF), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(as_double(0x3FF8000000000000), 1.5);
}

}  // namespace
}  // namespace weir::ingest::protobuf
