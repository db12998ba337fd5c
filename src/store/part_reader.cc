#include "store/part_reader.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/time.h"
#include "event/catalogue.h"
#include "store/connection_impl.h"
#include "store/event_columns.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

using event::Field;
using event::FieldType;

void append_strings(std::string& line, duckdb_vector vector, idx_t row) {
  const auto list = element<duckdb_list_entry>(vector, row);
  auto* child = duckdb().duckdb_list_vector_get_child(vector);
  line += '[';
  for (idx_t i = 0; i < list.length; ++i) {
    if (i > 0) line += ',';
    json::append_string(line, text_element(child, list.offset + i));
  }
  line += ']';
}

void append_value(std::string& line, FieldType type, duckdb_vector vector, idx_t row) {
  switch (type) {
    case FieldType::kString:
      return json::append_string(line, text_element(vector, row));
    case FieldType::kObject:
      line += text_element(vector, row);
      return;
    case FieldType::kInteger:
      line += std::to_string(element<std::int64_t>(vector, row));
      return;
    case FieldType::kNumber:
      return json::append_double(line, element<double>(vector, row));
    case FieldType::kBoolean:
      line += element<bool>(vector, row) ? "true" : "false";
      return;
    case FieldType::kTimestamp:
      return json::append_string(
          line,
          to_string(Timestamp(std::chrono::microseconds(element<std::int64_t>(vector, row)))));
    case FieldType::kStrings:
      return append_strings(line, vector, row);
  }
}

/// Makes lines of rows.
class Lines {
 public:
  explicit Lines(const std::vector<std::string>& columns) {
    places_.fill(kAbsent);
    for (idx_t i = 0; i < columns.size(); ++i) {
      // A column of another name is a later catalogue's.
      if (const auto field = event::find_field(columns[i])) {
        places_[static_cast<std::size_t>(*field)] = i;
      }
    }
  }

  Result<void> take(duckdb_data_chunk chunk, const PartReader::LineHandler& handle) {
    struct Column {
      Field field;
      FieldType type;
      duckdb_vector vector;
      std::uint64_t* validity;
    };
    std::vector<Column> columns;
    const auto rows = duckdb().duckdb_data_chunk_get_size(chunk);
    for (std::size_t i = 0; i < event::kFieldCount; ++i) {
      const auto field = static_cast<Field>(i);
      const auto place = places_[i];
      if (place == kAbsent) continue;
      auto* vector = duckdb().duckdb_data_chunk_get_vector(chunk, place);
      auto* validity = duckdb().duckdb_vector_get_validity(vector);
      // Of a hundred columns most are null in most chunks.
      const auto words = (rows + kBits - 1) / kBits;
      const bool all_null = validity != nullptr &&
                            std::all_of(validity, validity + words, [](auto w) { return w == 0; });
      if (all_null && field != event::kNullable) continue;
      columns.push_back({field, event::info(field).type, vector, validity});
    }
    for (idx_t row = 0; row < rows; ++row) {
      line_ = "{";
      bool says_null = false;
      for (const auto& column : columns) {
        const bool is_valid = column.validity == nullptr ||
                              ((column.validity[row / kBits] >> (row % kBits)) & 1U) != 0;
        if (is_valid) {
          append_key(column.field);
          append_value(line_, column.type, column.vector, row);
          if (column.field == Field::kEventType)
            says_null = needs_null(text_element(column.vector, row));
        } else if (column.field == event::kNullable && says_null) {
          append_key(column.field);
          line_ += "null";
        }
      }
      line_ += '}';
      WEIR_TRY(handle(line_));
    }
    return {};
  }

 private:
  static constexpr idx_t kAbsent = ~idx_t{0};
  static constexpr idx_t kBits = 64;

  void append_key(Field field) {
    if (line_.size() > 1) line_ += ',';
    line_ += '"';
    line_ += event::info(field).name;
    line_ += "\":";
  }

  /// Whether an event of the type says null where it has no value.
  static bool needs_null(std::string_view type_name) {
    const auto type = event::find_type(type_name);
    if (!type || *type == event::Type::kCustom) return false;
    const auto required = event::info(*type).required;
    return std::ranges::find(required, event::kNullable) != required.end();
  }

  std::array<idx_t, event::kFieldCount> places_;
  std::string line_;
};

/// No rows, and every column that there is: a part has only those that it has values for.
const std::string& no_events_sql() {
  static const std::string sql = [] {
    std::string columns;
    for (const auto& field : event::fields()) {
      columns += columns.empty() ? "SELECT " : ", ";
      columns +=
          "NULL::" + std::string(column_type_name(field.type)) + " AS " + sql_name(field.name);
    }
    return columns + " WHERE false";
  }();
  return sql;
}

std::string list_sql(const std::vector<std::filesystem::path>& parts) {
  std::string files;
  for (const auto& part : parts) files += (files.empty() ? "" : ", ") + sql_string(part.string());
  return "[" + files + "]";
}

std::string rows_of_files(const std::string& files) {
  return "read_parquet(" + files + ", union_by_name = true, hive_partitioning = false)";
}

}  // namespace

std::string raw_parts_sql(const std::vector<std::filesystem::path>& parts) {
  return rows_of_files(list_sql(parts));
}

std::string parts_sql(const std::vector<std::filesystem::path>& parts, const std::string& living) {
  return listed_parts_sql(list_sql(parts), living);
}

std::string listed_parts_sql(const std::string& files, const std::string& living) {
  return "(" + no_events_sql() + " UNION ALL BY NAME SELECT * FROM " + rows_of_files(files) +
         " AS part" + (living.empty() ? "" : " WHERE " + living) + ")";
}

std::string placed_parts_sql(const std::vector<std::filesystem::path>& parts) {
  return "(" + no_events_sql() +
         " UNION ALL BY NAME SELECT *, part.filename, part.file_row_number FROM " +
         raw_parts_sql(parts) + " AS part)";
}

struct PartReader::Reading {
  ChunkStream rows;
  Lines lines;
};

PartReader::PartReader(std::optional<ScratchFolder> scratch, Database database,
                       Connection connection)
    : scratch_(std::move(scratch)),
      database_(std::move(database)),
      connection_(std::move(connection)) {}
PartReader::PartReader(PartReader&&) noexcept = default;
PartReader& PartReader::operator=(PartReader&&) noexcept = default;
PartReader::~PartReader() = default;

Result<PartReader> PartReader::open(const log::StoreDirectory& store) {
  DatabaseOptions options;
  auto scratch = spill_below(store, options);
  WEIR_TRY(auto database, Database::open_in_memory(options));
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute("SET threads = 1"));  // the order is that of the files
  return PartReader(std::move(scratch), std::move(database), std::move(connection));
}

Result<void> PartReader::begin(const std::vector<std::filesystem::path>& parts,
                               const PartCondition& condition, const std::string& order) {
  reading_.reset();
  if (parts.empty()) return {};
  auto sql = "SELECT * FROM " + parts_sql(parts, condition.living) + " AS part";
  if (!condition.where.empty()) sql += " WHERE " + condition.where;
  WEIR_TRY(auto rows, ChunkStream::open(connection_, sql + order));
  Lines lines(rows.columns());
  reading_ = std::make_unique<Reading>(std::move(rows), std::move(lines));
  return {};
}

Result<void> PartReader::begin(const std::vector<std::filesystem::path>& parts,
                               const PartCondition& condition) {
  return begin(parts, condition, parts.size() == 1 ? "" : " ORDER BY run_id, run_seq");
}

Result<bool> PartReader::next(const LineHandler& handle) {
  if (!reading_) return false;
  const auto chunk = reading_->rows.next();
  if (!chunk || *chunk == nullptr) reading_.reset();
  WEIR_TRY(chunk);
  if (*chunk == nullptr) return false;
  WEIR_TRY(reading_->lines.take(*chunk, handle));
  return true;
}

Result<void> PartReader::finish(const LineHandler& handle) {
  while (true) {
    WEIR_TRY(const bool has_more, next(handle));
    if (!has_more) return {};
  }
}

Result<void> PartReader::read(const std::vector<std::filesystem::path>& parts,
                              const PartCondition& condition, const LineHandler& handle) {
  WEIR_TRY(begin(parts, condition));
  return finish(handle);
}

Result<void> PartReader::read_newest(const std::vector<std::filesystem::path>& parts,
                                     const PartCondition& condition, std::uint64_t after,
                                     std::uint64_t count, const LineHandler& handle) {
  WEIR_TRY(begin(parts, condition,
                 " ORDER BY timestamp DESC, run_seq DESC LIMIT " + std::to_string(count) +
                     " OFFSET " + std::to_string(after)));
  return finish(handle);
}

}  // namespace weir::store
