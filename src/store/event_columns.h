#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/decoder.h"
#include "store/duckdb_api.h"

/// Events as rows of DuckDB: a column a field of the catalogue.
namespace weir::store {

/// The type of a field's column in SQL; an object's is VARCHAR, its text.
[[nodiscard]] std::string_view column_type_name(event::FieldType type);

/// Names the columns of a table function that gives events, in the order of the catalogue.
void add_event_columns(duckdb_bind_info info);

/// Writes a list of strings; `used` counts the entries that earlier rows of the vector have taken.
void put_strings(duckdb_vector vector, idx_t row, const std::vector<std::string>& strings,
                 idx_t& used);

/// The columns that a query wants of such a function: fields, and what is none where it wants no
/// column in particular, as count(*) does.
[[nodiscard]] std::vector<event::Field> wanted_columns(duckdb_init_info info);

/// Fills one chunk of such a function.
class EventRows {
 public:
  EventRows(duckdb_data_chunk chunk, const std::vector<event::Field>& columns);

  [[nodiscard]] bool is_full() const { return size_ == capacity_; }
  /// Gives how many of its fields have a column.
  std::size_t add(const event::EventView& event);
  /// Says how many there are: fewer than fit, or none, at the end.
  void finish();

 private:
  static constexpr idx_t kBits = 64;  // of a word of a validity mask
  struct Column {
    event::Field field;
    event::FieldType type;
    duckdb_vector vector;
    void* data;  // of the vector
    std::uint64_t* validity;
    idx_t used = 0;  // of its list entries
  };

  void put(Column& column, const event::EventView& event, const json::FlatMember& member);

  duckdb_data_chunk chunk_;
  std::vector<Column> columns_;
  idx_t capacity_;
  idx_t size_ = 0;
};

}  // namespace weir::store
