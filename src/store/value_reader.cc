#include "store/value_reader.h"

#include <cmath>
#include <cstdio>
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

std::string text_of(duckdb_string_t& value) {
  // duckdb_string_t_data and _length are functions of the library; the layout is part of its ABI.
  const bool inlined = value.value.inlined.length <= 12;
  return inlined ? std::string(value.value.inlined.inlined, value.value.inlined.length)
                 : std::string(value.value.pointer.ptr, value.value.pointer.length);
}

/// Exact while it fits 64 bits.
json::Value whole(duckdb_hugeint value) {
  const bool small = (value.upper == 0 && value.lower <= INT64_MAX) ||
                     (value.upper == -1 && value.lower > INT64_MAX);
  if (small) return static_cast<std::int64_t>(value.lower);
  return std::ldexp(static_cast<double>(value.upper), 64) + static_cast<double>(value.lower);
}

json::Value read_decimal(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  const auto scale = std::pow(10.0, duckdb().duckdb_decimal_scale(type));
  switch (duckdb().duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return element<std::int16_t>(vector, row) / scale;
    case DUCKDB_TYPE_INTEGER:
      return element<std::int32_t>(vector, row) / scale;
    case DUCKDB_TYPE_BIGINT:
      return static_cast<double>(element<std::int64_t>(vector, row)) / scale;
    default: {
      const auto huge = element<duckdb_hugeint>(vector, row);
      return (std::ldexp(static_cast<double>(huge.upper), 64) + static_cast<double>(huge.lower)) /
             scale;
    }
  }
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
  auto bytes = element<duckdb_string_t>(vector, row);
  const auto text = text_of(bytes);
  return "\\x" + to_hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

json::Value read_value(duckdb_vector vector, duckdb_logical_type type, std::size_t row) {
  auto* validity = duckdb().duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb().duckdb_validity_row_is_valid(validity, row)) return {};
  const auto id = duckdb().duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return element<bool>(vector, row);
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
      return whole(element<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_UHUGEINT: {
      const auto huge = element<duckdb_uhugeint>(vector, row);
      if (huge.upper == 0) return huge.lower;
      return std::ldexp(static_cast<double>(huge.upper), 64) + static_cast<double>(huge.lower);
    }
    case DUCKDB_TYPE_FLOAT:
      return double{element<float>(vector, row)};
    case DUCKDB_TYPE_DOUBLE:
      return element<double>(vector, row);
    case DUCKDB_TYPE_DECIMAL:
      return read_decimal(vector, type, row);
    case DUCKDB_TYPE_VARCHAR: {
      auto text = element<duckdb_string_t>(vector, row);
      return text_of(text);
    }
    case DUCKDB_TYPE_BLOB:
    case DUCKDB_TYPE_BIT:
      return read_blob_text(vector, row);
    case DUCKDB_TYPE_DATE:
      return date_text(duckdb().duckdb_from_date(element<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return time_text(duckdb().duckdb_from_time(element<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return timestamp_text(element<std::int64_t>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return timestamp_text(element<std::int64_t>(vector, row)) + "+00";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return timestamp_text(element<std::int64_t>(vector, row) * 1'000'000);
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return timestamp_text(element<std::int64_t>(vector, row) * 1000);
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return timestamp_text(element<std::int64_t>(vector, row) / 1000);
    case DUCKDB_TYPE_INTERVAL:
      return interval_text(element<duckdb_interval>(vector, row));
    case DUCKDB_TYPE_UUID:
      return uuid_text(element<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_ENUM:
      return enum_text(vector, type, row);
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
      return read_list(vector, type, row);
    case DUCKDB_TYPE_STRUCT:
      return read_struct(vector, type, row);
    default:
      return print("(a value of DuckDB's type %d)", static_cast<int>(id));
  }
}

}  // namespace weir::store
