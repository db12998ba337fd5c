#include "store/value_reader.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

#include "base/id.h"

namespace weir::store {
namespace {

template <class T>
T element(duckdb_vector vector, std::size_t row) {
  return static_cast<const T*>(duckdb().duckdb_vector_get_data(vector))[row];
}

template <class... Values>
std::string print(const char* format, Values... values) {
  char buffer[96];
  const int size = std::snprintf(buffer, sizeof buffer, format, values...);
  return {buffer, static_cast<std::size_t>(size)};
}

std::string text_of(const duckdb_string_t& value) {
  // duckdb_string_t_data and _length are functions of the library; the layout is part of its ABI.
  const bool inlined = value.value.inlined.length <= 12;
  return inlined ? std::string(value.value.inlined.inlined, value.value.inlined.length)
                 : std::string(value.value.pointer.ptr, value.value.pointer.length);
}

__extension__ using Int128 = __int128;

Int128 wide(duckdb_hugeint value) {
  return (static_cast<Int128>(value.upper) << 64) | static_cast<Int128>(value.lower);
}

/// Exact while it fits 64 bits.
json::Value whole(Int128 value) {
  if (value >= INT64_MIN && value <= INT64_MAX) return static_cast<std::int64_t>(value);
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

std::string date_text(duckdb_date_struct date) {
  return print("%04d-%02d-%02d", date.year, date.month, date.day);
}

std::string time_text(duckdb_time_struct time) {
  auto text = print("%02d:%02d:%02d", time.hour, time.min, time.sec);
  return time.micros == 0 ? text : text + print(".%06d", time.micros);
}

std::string timestamp_text(std::int64_t micros) {
  if (micros == INT64_MAX) return "infinity";
  if (micros == -INT64_MAX) return "-infinity";
  const auto parts = duckdb().duckdb_from_timestamp({micros});
  return date_text(parts.date) + " " + time_text(parts.time);
}

std::string scaled_timestamp_text(std::int64_t value, std::int64_t micros_per_unit) {
  const bool finite = std::llabs(value) < INT64_MAX / micros_per_unit;
  return timestamp_text(finite ? value * micros_per_unit : value);
}

std::string interval_text(duckdb_interval interval) {
  std::string text;
  if (interval.months != 0) text += std::to_string(interval.months) + " months ";
  if (interval.days != 0) text += std::to_string(interval.days) + " days ";
  const auto micros = std::llabs(interval.micros);
  const auto seconds = micros / 1'000'000;
  text += print("%s%02lld:%02lld:%02lld", interval.micros < 0 ? "-" : "", seconds / 3600,
                seconds / 60 % 60, seconds % 60);
  return micros % 1'000'000 == 0 ? text : text + print(".%06lld", micros % 1'000'000);
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

json::Value read_struct(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  json::Object object;
  const auto count = duckdb().duckdb_struct_type_child_count(type);
  for (idx_t i = 0; i < count; ++i) {
    const LogicalType child_type(duckdb().duckdb_struct_type_child_type(type, i));
    char* name = duckdb().duckdb_struct_type_child_name(type, i);
    auto* child = duckdb().duckdb_struct_vector_get_child(vector, i);
    object.append({name, read_value(child, child_type.get(), row)});
    duckdb().duckdb_free(name);
  }
  return object;
}

json::Value read_blob_text(duckdb_vector vector, std::size_t row) {
  const auto text = text_of(element<duckdb_string_t>(vector, row));
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
  constexpr std::int64_t kMicrosPerSecond = 1'000'000, kMicrosPerMilli = 1000,
                         kNanosPerMicro = 1000;
  switch (type) {
    case DUCKDB_TYPE_DATE:
      return date_text(duckdb().duckdb_from_date(element<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return time_text(duckdb().duckdb_from_time(element<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return timestamp_text(element<std::int64_t>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return timestamp_text(element<std::int64_t>(vector, row)) + "+00";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return scaled_timestamp_text(element<std::int64_t>(vector, row), kMicrosPerSecond);
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return scaled_timestamp_text(element<std::int64_t>(vector, row), kMicrosPerMilli);
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return timestamp_text(element<std::int64_t>(vector, row) / kNanosPerMicro);
    case DUCKDB_TYPE_INTERVAL:
      return interval_text(element<duckdb_interval>(vector, row));
    default:
      return {};
  }
}

}  // namespace

json::Value read_value(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  auto* validity = duckdb().duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb().duckdb_validity_row_is_valid(validity, row)) return {};
  if (auto number = read_number(vector, type, row)) return std::move(*number);
  const auto id = duckdb().duckdb_get_type_id(type);
  if (auto time = read_time(vector, id, row)) return std::move(*time);
  switch (id) {
    case DUCKDB_TYPE_SQLNULL:
      return {};
    case DUCKDB_TYPE_BOOLEAN:
      return element<bool>(vector, row);
    case DUCKDB_TYPE_VARCHAR:
      return text_of(element<duckdb_string_t>(vector, row));
    case DUCKDB_TYPE_BLOB:
    case DUCKDB_TYPE_BIT:
      return read_blob_text(vector, row);
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
    default:
      return print("(a value of DuckDB's type %d)", static_cast<int>(id));
  }
}

}  // namespace weir::store
