#include "store/value_reader.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

#include "base/id.h"

namespace weir::store {
namespace {

template <class... Values>
std::string print(const char* format, Values... values) {
  char buffer[96];
  const int size = std::snprintf(buffer, sizeof buffer, format, values...);
  return {buffer, static_cast<std::size_t>(size)};
}

__extension__ using Int128 = __int128;

Int128 wide(duckdb_hugeint value) {
  return (static_cast<Int128>(value.upper) << 64) | static_cast<Int128>(value.lower);
}

/// Exact while it fits 64 bits.
json::Value whole(Int128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return static_cast<std::int64_t>(value);
  if (value > 0 && value <= UINT64_MAX) return static_cast<std::uint64_t>(value);
  return static_cast<double>(value);
}

Int128 decimal_digits(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  switch (duckdb().duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return element<std::int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return element<std::int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return element<std::int64_t>(vector, row);
    default:
      return wide(element<duckdb_hugeint>(vector, row));
  }
}

json::Value read_decimal(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  const auto digits = decimal_digits(vector, type, row);
  const auto scale = duckdb().duckdb_decimal_scale(type);
  if (scale == 0) return whole(digits);
  return static_cast<double>(digits) / std::pow(10.0, scale);
}

/// The double that is written with the same few digits: 0.1, not 0.10000000149011612.
double widened(float value) {
  if (!std::isfinite(value)) return value;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = 0;
  std::from_chars(text, end, result);
  return result;
}

/// The text of a value as DuckDB writes it; takes the value.
std::string text_of(duckdb_value value) {
  char* written = duckdb().duckdb_get_varchar(value);
  std::string text = written;
  duckdb().duckdb_free(written);
  duckdb().duckdb_destroy_value(&value);
  return text;
}

std::string date_text(duckdb_date_struct date) {
  return print("%04d-%02d-%02d", date.year, date.month, date.day);
}

std::string time_text(duckdb_time_struct time) {
  auto text = print("%02d:%02d:%02d", time.hour, time.min, time.sec);
  return time.micros == 0 ? text : text + print(".%06d", time.micros);
}

std::string date_text(duckdb_date date) {
  if (duckdb().duckdb_is_finite_date(date)) {
    const auto parts = duckdb().duckdb_from_date(date);
    if (parts.year > 0) return date_text(parts);
  }
  return text_of(duckdb().duckdb_create_date(date));  // "infinity", "0044-03-15 (BC)"
}

/// Nothing for times that are not finite or before our era.
std::optional<std::string> common_timestamp_text(duckdb_timestamp timestamp) {
  if (!duckdb().duckdb_is_finite_timestamp(timestamp)) return {};
  const auto parts = duckdb().duckdb_from_timestamp(timestamp);
  if (parts.date.year <= 0) return {};
  return date_text(parts.date) + " " + time_text(parts.time);
}

std::string timestamp_text(duckdb_timestamp timestamp) {
  if (auto text = common_timestamp_text(timestamp)) return std::move(*text);
  return text_of(duckdb().duckdb_create_timestamp(timestamp));
}

std::string timestamp_tz_text(duckdb_timestamp timestamp) {
  if (auto text = common_timestamp_text(timestamp)) return *text + "+00";
  return text_of(duckdb().duckdb_create_timestamp_tz(timestamp));
}

std::string bit_text(duckdb_vector vector, std::size_t row) {
  auto bytes = std::string(text_element(vector, row));
  return text_of(duckdb().duckdb_create_bit(
      {.data = reinterpret_cast<std::uint8_t*>(bytes.data()), .size = bytes.size()}));
}

/// In a vector: three bytes of header, whose first bit is 0 for a negative number, then the digits
/// in base 256, the first the most significant; of a negative number all bits are turned.
std::string bignum_text(duckdb_vector vector, std::size_t row) {
  constexpr std::size_t kHeaderBytes = 3;
  auto bytes = std::string(text_element(vector, row));
  const bool is_negative = (static_cast<std::uint8_t>(bytes[0]) & 0x80) == 0;
  if (is_negative) {
    for (char& byte : bytes) byte = static_cast<char>(~byte);
  }
  return text_of(duckdb().duckdb_create_bignum(
      {.data = reinterpret_cast<std::uint8_t*>(bytes.data()) + kHeaderBytes,
       .size = bytes.size() - kHeaderBytes,
       .is_negative = is_negative}));
}

std::string uuid_text(duckdb_hugeint value) {
  RunId id;  // any UUID is written like ours
  const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(upper >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(value.lower >> (56 - 8 * i));
  }
  return id.text();
}

std::string enum_text(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  idx_t index = 0;
  switch (duckdb().duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT:
      index = element<std::uint8_t>(vector, row);
      break;
    case DUCKDB_TYPE_USMALLINT:
      index = element<std::uint16_t>(vector, row);
      break;
    default:
      index = element<std::uint32_t>(vector, row);
      break;
  }
  char* word = duckdb().duckdb_enum_dictionary_value(type, index);
  std::string text = word;
  duckdb().duckdb_free(word);
  return text;
}

json::Value read_list(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  const auto entry = element<duckdb_list_entry>(vector, row);
  auto* child = duckdb().duckdb_list_vector_get_child(vector);
  const LogicalType child_type(duckdb().duckdb_list_type_child_type(type));
  json::Array items;
  for (std::size_t i = 0; i < entry.length; ++i) {
    items.push_back(read_value(child, child_type.get(), entry.offset + i));
  }
  return items;
}

/// A struct's fields have all names, or none has.
json::Value read_struct(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  json::Object object;
  json::Array array;
  bool named = true;
  const auto count = duckdb().duckdb_struct_type_child_count(type);
  for (idx_t i = 0; i < count; ++i) {
    const LogicalType child_type(duckdb().duckdb_struct_type_child_type(type, i));
    char* name = duckdb().duckdb_struct_type_child_name(type, i);
    // Read from Parquet, the others have names: "_1", "_2".
    if (i == 0) named = *name != '\0';
    auto value =
        read_value(duckdb().duckdb_struct_vector_get_child(vector, i), child_type.get(), row);
    if (named) {
      object.append({name, std::move(value)});
    } else {
      array.push_back(std::move(value));
    }
    duckdb().duckdb_free(name);
  }
  if (named) return object;
  return array;
}

/// In a vector: a struct of the number of the member that is set, and of all members.
json::Value read_union(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  const auto member =
      element<std::uint8_t>(duckdb().duckdb_struct_vector_get_child(vector, 0), row);
  const LogicalType member_type(duckdb().duckdb_union_type_member_type(type, member));
  return read_value(duckdb().duckdb_struct_vector_get_child(vector, idx_t{member} + 1),
                    member_type.get(), row);
}

std::string blob_text(duckdb_vector vector, std::size_t row) {
  const auto text = std::string(text_element(vector, row));
  return "\\x" + to_hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

json::Value read_array(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  const auto size = duckdb().duckdb_array_type_array_size(type);
  auto* child = duckdb().duckdb_array_vector_get_child(vector);
  const LogicalType child_type(duckdb().duckdb_array_type_child_type(type));
  json::Array items;
  for (idx_t i = 0; i < size; ++i) {
    items.push_back(read_value(child, child_type.get(), row * size + i));
  }
  return items;
}

std::optional<json::Value> read_number(duckdb_vector vector, duckdb_logical_type type,
                                       std::size_t row) {
  switch (duckdb().duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_TINYINT:
      return std::int64_t{element<std::int8_t>(vector, row)};
    case DUCKDB_TYPE_SMALLINT:
      return std::int64_t{element<std::int16_t>(vector, row)};
    case DUCKDB_TYPE_INTEGER:
      return std::int64_t{element<std::int32_t>(vector, row)};
    case DUCKDB_TYPE_BIGINT:
      return element<std::int64_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT:
      return std::int64_t{element<std::uint8_t>(vector, row)};
    case DUCKDB_TYPE_USMALLINT:
      return std::int64_t{element<std::uint16_t>(vector, row)};
    case DUCKDB_TYPE_UINTEGER:
      return std::int64_t{element<std::uint32_t>(vector, row)};
    case DUCKDB_TYPE_UBIGINT:
      return element<std::uint64_t>(vector, row);
    case DUCKDB_TYPE_HUGEINT:
      return whole(wide(element<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_UHUGEINT: {
      const auto huge = element<duckdb_uhugeint>(vector, row);
      if (huge.upper == 0) return huge.lower;
      return std::ldexp(static_cast<double>(huge.upper), 64) + static_cast<double>(huge.lower);
    }
    case DUCKDB_TYPE_FLOAT:
      return widened(element<float>(vector, row));
    case DUCKDB_TYPE_DOUBLE:
      return element<double>(vector, row);
    case DUCKDB_TYPE_DECIMAL:
      return read_decimal(vector, type, row);
    default:
      return {};
  }
}

std::optional<std::string> read_time(duckdb_vector vector, duckdb_type type, std::size_t row) {
  const auto& api = duckdb();
  switch (type) {
    case DUCKDB_TYPE_DATE:
      return date_text(element<duckdb_date>(vector, row));
    case DUCKDB_TYPE_TIME:
      return time_text(api.duckdb_from_time(element<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIME_TZ:
      return text_of(api.duckdb_create_time_tz_value(element<duckdb_time_tz>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return timestamp_text(element<duckdb_timestamp>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return timestamp_tz_text(element<duckdb_timestamp>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return text_of(api.duckdb_create_timestamp_s(element<duckdb_timestamp_s>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return text_of(api.duckdb_create_timestamp_ms(element<duckdb_timestamp_ms>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return text_of(api.duckdb_create_timestamp_ns(element<duckdb_timestamp_ns>(vector, row)));
    case DUCKDB_TYPE_INTERVAL:
      return text_of(api.duckdb_create_interval(element<duckdb_interval>(vector, row)));
    default:
      return {};
  }
}

/// Of types that hold others: whether those are readable.
bool are_members_readable(duckdb_logical_type type, int depth) {
  const auto& api = duckdb();
  const auto all = [&](idx_t count, auto member_type) {
    for (idx_t i = 0; i < count; ++i) {
      if (!is_readable(LogicalType(member_type(type, i)).get(), depth + 1)) return false;
    }
    return true;
  };
  switch (api.duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
      return is_readable(LogicalType(api.duckdb_list_type_child_type(type)).get(), depth + 1);
    case DUCKDB_TYPE_ARRAY:
      return is_readable(LogicalType(api.duckdb_array_type_child_type(type)).get(), depth + 1);
    case DUCKDB_TYPE_STRUCT:
      return all(api.duckdb_struct_type_child_count(type), api.duckdb_struct_type_child_type);
    case DUCKDB_TYPE_UNION:
      return all(api.duckdb_union_type_member_count(type), api.duckdb_union_type_member_type);
    default:
      return true;
  }
}

}  // namespace

bool is_valid(duckdb_vector vector, std::size_t row) {
  return is_valid(duckdb().duckdb_vector_get_validity(vector), row);
}

std::string_view text_element(duckdb_vector vector, std::size_t row) {
  const auto& text =
      static_cast<const duckdb_string_t*>(duckdb().duckdb_vector_get_data(vector))[row];
  // duckdb_string_t_data and _length are functions of the library; the layout is part of its ABI.
  constexpr std::uint32_t kInlined = 12;
  const auto size = text.value.inlined.length;
  return {size <= kInlined ? text.value.inlined.inlined : text.value.pointer.ptr, size};
}

bool is_readable(duckdb_logical_type type, int depth) {
  if (depth > kMaxTypeDepth) return false;
  switch (duckdb().duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_INVALID:
    case DUCKDB_TYPE_ANY:
    case DUCKDB_TYPE_STRING_LITERAL:
    case DUCKDB_TYPE_INTEGER_LITERAL:
    case DUCKDB_TYPE_TIME_NS:
      return false;
    default:
      return duckdb().duckdb_get_type_id(type) <= DUCKDB_TYPE_SQLNULL &&
             are_members_readable(type, depth);
  }
}

json::Value read_value(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  if (!is_valid(vector, row)) return {};
  if (auto number = read_number(vector, type, row)) return std::move(*number);
  const auto id = duckdb().duckdb_get_type_id(type);
  if (auto time = read_time(vector, id, row)) return std::move(*time);
  switch (id) {
    case DUCKDB_TYPE_SQLNULL:
      return {};
    case DUCKDB_TYPE_BOOLEAN:
      return element<bool>(vector, row);
    case DUCKDB_TYPE_VARCHAR:
      return std::string(text_element(vector, row));
    case DUCKDB_TYPE_BLOB:
      return blob_text(vector, row);
    case DUCKDB_TYPE_BIT:
      return bit_text(vector, row);
    case DUCKDB_TYPE_BIGNUM:
      return bignum_text(vector, row);
    case DUCKDB_TYPE_UUID:
      return uuid_text(element<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_ENUM:
      return enum_text(vector, type, row);
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
      return read_list(vector, type, row);
    case DUCKDB_TYPE_ARRAY:
      return read_array(vector, type, row);
    case DUCKDB_TYPE_STRUCT:
      return read_struct(vector, type, row);
    case DUCKDB_TYPE_UNION:
      return read_union(vector, type, row);
    default:
      return {};  // not readable
  }
}

}  // namespace weir::store
