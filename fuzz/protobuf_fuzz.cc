// Protobuf: any bytes are read to their end or to where they are wrong, never beyond; what was read
// and is written again is read as the same.

#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/protobuf.h"

namespace weir::ingest::protobuf {
namespace {

struct FieldRead {
  std::uint32_t tag = 0;
  std::uint64_t number = 0;
  std::string text;
  bool operator==(const FieldRead&) const = default;
};

WireType type_of(std::uint32_t tag) { return static_cast<WireType>(tag & 7U); }

std::vector<FieldRead> read(std::string_view message, Failure& failure) {
  std::vector<FieldRead> fields;
  for (Reader reader(message, failure); reader.next();) {
    FieldRead field{.tag = reader.tag(), .number = reader.number(), .text = {}};
    if (type_of(field.tag) == WireType::kBytes) {
      field.number = 0;
      field.text = reader.text();
      WEIR_CHECK(reader.text().data() >= message.data());
      WEIR_CHECK(reader.text().data() + reader.text().size() <= message.data() + message.size());
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}

std::string written(const std::vector<FieldRead>& fields) {
  std::string out;
  for (const auto& field : fields) {
    put_varint(out, field.tag);
    const auto type = type_of(field.tag);
    if (type == WireType::kVarint) put_varint(out, field.number);
    if (type == WireType::kBytes) {
      put_varint(out, field.text.size());
      out += field.text;
    }
    const auto size = type == WireType::kFixed64 ? 8U : type == WireType::kFixed32 ? 4U : 0U;
    for (unsigned i = 0; i < size; ++i) out += static_cast<char>(field.number >> (8 * i));
  }
  return out;
}

void check_packed(std::string_view bytes, WireType type) {
  Failure failure{.body = bytes};
  PackedReader reader(bytes, type, failure);
  std::size_t count = 0;
  for (std::uint64_t number = 0; reader.next(number);) ++count;
  WEIR_CHECK(count <= bytes.size());
  if (type == WireType::kFixed64) WEIR_CHECK(failure.failed() == (bytes.size() % 8 != 0));
  WEIR_CHECK(!failure.failed() || failure.offset <= bytes.size());
}

void check(std::string_view message) {
  Failure failure{.body = message};
  const auto fields = read(message, failure);
  WEIR_CHECK(!failure.failed() || failure.offset <= message.size());
  const auto again = written(fields);
  WEIR_CHECK(again.size() <= message.size());  // numbers may have been longer than need be
  Failure none{.body = again};
  WEIR_CHECK(read(again, none) == fields && !none.failed());
  check_packed(message, WireType::kVarint);
  check_packed(message, WireType::kFixed64);
}

}  // namespace
}  // namespace weir::ingest::protobuf

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::ingest::protobuf::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
