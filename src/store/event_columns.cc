#include "store/event_columns.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "store/value_reader.h"

namespace weir::store {
namespace {

using event::Field;
using event::FieldType;

LogicalType column_type(FieldType type) {
  const auto& api = duckdb();
  const auto simple = [&](duckdb_type id) {
    return LogicalType(api.duckdb_create_logical_type(id));
  };
  switch (type) {
    case FieldType::kString:
      return simple(DUCKDB_TYPE_VARCHAR);
    case FieldType::kInteger:
      return simple(DUCKDB_TYPE_BIGINT);
    case FieldType::kNumber:
      return simple(DUCKDB_TYPE_DOUBLE);
    case FieldType::kBoolean:
      return simple(DUCKDB_TYPE_BOOLEAN);
    case FieldType::kTimestamp:
      return simple(DUCKDB_TYPE_TIMESTAMP);
    case FieldType::kStrings:
      return LogicalType(api.duckdb_create_list_type(simple(DUCKDB_TYPE_VARCHAR).get()));
    case FieldType::kObject:
      break;
  }
  auto json = simple(DUCKDB_TYPE_VARCHAR);
  api.duckdb_logical_type_set_alias(json.get(), "JSON");
  return json;
}

void put_text(duckdb_vector vector, duckdb_string_t* data, idx_t row, std::string_view text) {
  auto& inlined = data[row].value.inlined;
  if (text.size() > sizeof inlined.inlined) {
    duckdb().duckdb_vector_assign_string_element_len(vector, row, text.data(), text.size());
    return;
  }
  // Most are so short that they need no room of their own: the layout is a part of DuckDB's ABI.
  inlined.length = static_cast<std::uint32_t>(text.size());
  std::memset(inlined.inlined, 0, sizeof inlined.inlined);
  std::memcpy(inlined.inlined, text.data(), text.size());
}

}  // namespace

void put_strings(duckdb_vector vector, idx_t row, const std::vector<std::string>& strings,
                 idx_t& used) {
  const auto& api = duckdb();
  static_cast<duckdb_list_entry*>(api.duckdb_vector_get_data(vector))[row] = {
      .offset = used, .length = strings.size()};
  api.duckdb_list_vector_reserve(vector, used + strings.size());
  auto* child = api.duckdb_list_vector_get_child(vector);
  auto* texts = static_cast<duckdb_string_t*>(api.duckdb_vector_get_data(child));
  for (const auto& string : strings) put_text(child, texts, used++, string);
  api.duckdb_list_vector_set_size(vector, used);
}

std::string_view column_type_name(FieldType type) {
  switch (type) {
    case FieldType::kInteger:
      return "BIGINT";
    case FieldType::kNumber:
      return "DOUBLE";
    case FieldType::kBoolean:
      return "BOOLEAN";
    case FieldType::kTimestamp:
      return "TIMESTAMP";
    case FieldType::kStrings:
      return "VARCHAR[]";
    case FieldType::kString:
    case FieldType::kObject:
      return "VARCHAR";
  }
  return {};
}

void add_event_columns(duckdb_bind_info info) {
  for (const auto& field : event::fields()) {
    duckdb().duckdb_bind_add_result_column(info, std::string(field.name).c_str(),
                                           column_type(field.type).get());
  }
}

std::vector<Field> wanted_columns(duckdb_init_info info) {
  const auto& api = duckdb();
  std::vector<Field> columns;
  const auto count = api.duckdb_init_get_column_count(info);
  columns.reserve(count);
  for (idx_t i = 0; i < count; ++i) {
    columns.push_back(static_cast<Field>(api.duckdb_init_get_column_index(info, i)));
  }
  return columns;
}

EventRows::EventRows(duckdb_data_chunk chunk, const std::vector<Field>& columns)
    : chunk_(chunk), capacity_(duckdb().duckdb_vector_size()) {
  const auto& api = duckdb();
  columns_.reserve(columns.size());
  for (idx_t i = 0; i < columns.size(); ++i) {
    if (static_cast<std::size_t>(columns[i]) >= event::kFieldCount) continue;
    auto* vector = api.duckdb_data_chunk_get_vector(chunk, i);
    // Most columns are null in most rows: null at first.
    api.duckdb_vector_ensure_validity_writable(vector);
    auto* validity = api.duckdb_vector_get_validity(vector);
    std::fill_n(validity, capacity_ / kBits, 0);
    columns_.push_back({.field = columns[i],
                        .type = event::info(columns[i]).type,
                        .vector = vector,
                        .data = api.duckdb_vector_get_data(vector),
                        .validity = validity});
  }
}

std::size_t EventRows::add(const event::EventView& event) {
  std::size_t put_fields = 0;
  for (auto& column : columns_) {
    const auto* member = event.find(column.field);
    if (member == nullptr) continue;
    column.validity[size_ / kBits] |= std::uint64_t{1} << (size_ % kBits);
    put(column, event, *member);
    ++put_fields;
  }
  ++size_;
  return put_fields;
}

void EventRows::put(Column& column, const event::EventView& event, const json::FlatMember& member) {
  const auto put = [&]<class T>(T value) { static_cast<T*>(column.data)[size_] = value; };
  switch (column.type) {
    case FieldType::kString:
    case FieldType::kObject:
      return put_text(column.vector, static_cast<duckdb_string_t*>(column.data), size_,
                      member.text);
    case FieldType::kInteger:
      return put(member.integer);
    case FieldType::kNumber:
      return put(member.number);
    case FieldType::kBoolean:
      return put(member.boolean);
    case FieldType::kTimestamp:
      return put(std::int64_t{event.timestamp().time_since_epoch().count()});
    case FieldType::kStrings:
      return put_strings(column.vector, size_, event.strings(column.field), column.used);
  }
}

void EventRows::finish() { duckdb().duckdb_data_chunk_set_size(chunk_, size_); }

}  // namespace weir::store
