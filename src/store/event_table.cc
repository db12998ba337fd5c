#include "store/event_table.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "event/decoder.h"
#include "log/segment.h"
#include "store/connection_impl.h"
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

/// What the table is made of, for as long as it is registered.
struct Source {
  log::StoreDirectory store;
  std::shared_ptr<BadPlaces> bad;
};

/// What a query asked for, from bind to its end.
struct Bound {
  Source* source = nullptr;
  std::optional<std::string> run_id;  // none: all
  std::vector<std::filesystem::path> segments;
  std::atomic<std::size_t> next_segment{0};
};

/// One thread's part of a query.
struct Scan {
  Bound* bound = nullptr;
  std::vector<Field> columns;
  event::Decoder decoder;
  std::filesystem::path path;
  std::optional<log::SegmentReader> reader;
  std::string_view lines;    // of the current commit, not yet read
  std::uint64_t offset = 0;  // of the first of them
};

template <class T>
void destroy(void* pointer) {
  delete static_cast<T*>(pointer);
}

void bind(duckdb_bind_info info) {
  const auto& api = duckdb();
  auto bound = std::make_unique<Bound>();
  bound->source = static_cast<Source*>(api.duckdb_bind_get_extra_info(info));
  if (auto* value = api.duckdb_bind_get_named_parameter(info, "run_id")) {
    // DuckDB has no text for NULL, and says so with an internal error.
    if (!api.duckdb_is_null_value(value)) {
      char* text = api.duckdb_get_varchar(value);
      bound->run_id = text;
      api.duckdb_free(text);
    }
    api.duckdb_destroy_value(&value);
  }
  auto segments = bound->source->store.segments();
  if (!segments) return api.duckdb_bind_set_error(info, segments.error().message.c_str());
  bound->segments = std::move(*segments);
  for (const auto& field : event::fields()) {
    api.duckdb_bind_add_result_column(info, std::string(field.name).c_str(),
                                      column_type(field.type).get());
  }
  api.duckdb_bind_set_bind_data(info, bound.release(), &destroy<Bound>);
}

void init(duckdb_init_info info) {
  const auto& api = duckdb();
  const auto* bound = static_cast<Bound*>(api.duckdb_init_get_bind_data(info));
  const auto threads =
      std::min<std::size_t>(bound->segments.size(), std::thread::hardware_concurrency());
  api.duckdb_init_set_max_threads(info, std::max<std::size_t>(threads, 1));
}

void init_thread(duckdb_init_info info) {
  const auto& api = duckdb();
  auto scan = std::make_unique<Scan>();
  scan->bound = static_cast<Bound*>(api.duckdb_init_get_bind_data(info));
  const auto count = api.duckdb_init_get_column_count(info);
  for (idx_t i = 0; i < count; ++i) {
    scan->columns.push_back(static_cast<Field>(api.duckdb_init_get_column_index(info, i)));
  }
  api.duckdb_init_set_init_data(info, scan.release(), &destroy<Scan>);
}

void put_null(duckdb_vector vector, idx_t row) {
  duckdb().duckdb_vector_ensure_validity_writable(vector);
  duckdb().duckdb_validity_set_row_invalid(duckdb().duckdb_vector_get_validity(vector), row);
}

template <class T>
void put(duckdb_vector vector, idx_t row, T value) {
  static_cast<T*>(duckdb().duckdb_vector_get_data(vector))[row] = value;
}

void put_text(duckdb_vector vector, idx_t row, std::string_view text) {
  duckdb().duckdb_vector_assign_string_element_len(vector, row, text.data(), text.size());
}

/// `used` counts the entries of the child vector that earlier rows of the chunk have taken.
void put_strings(duckdb_vector vector, idx_t row, const std::vector<std::string>& strings,
                 idx_t& used) {
  const auto& api = duckdb();
  put(vector, row, duckdb_list_entry{.offset = used, .length = strings.size()});
  api.duckdb_list_vector_reserve(vector, used + strings.size());
  auto* child = api.duckdb_list_vector_get_child(vector);
  for (const auto& string : strings) put_text(child, used++, string);
  api.duckdb_list_vector_set_size(vector, used);
}

void put_field(duckdb_vector vector, idx_t row, const event::EventView& event, Field field,
               idx_t& used) {
  const auto* member = event.find(field);
  if (member == nullptr) return put_null(vector, row);
  switch (event::info(field).type) {
    case FieldType::kString:
    case FieldType::kObject:
      return put_text(vector, row, member->text);
    case FieldType::kInteger:
      return put(vector, row, member->integer);
    case FieldType::kNumber:
      return put(vector, row, member->number);
    case FieldType::kBoolean:
      return put(vector, row, member->boolean);
    case FieldType::kTimestamp:
      return put(vector, row, std::int64_t{event.timestamp().time_since_epoch().count()});
    case FieldType::kStrings:
      return put_strings(vector, row, event.strings(field), used);
  }
}

/// The next line that the query wants; empty at the end.
Result<std::string_view> next_line(Scan& scan) {
  const auto& run_id = scan.bound->run_id;
  while (true) {
    while (!scan.lines.empty()) {
      const auto end = scan.lines.find('\n');
      const auto line = scan.lines.substr(0, end);
      scan.lines.remove_prefix(end + 1);
      scan.offset += end + 1;
      if (!run_id || line.find(*run_id) != std::string_view::npos) return line;
    }
    if (!scan.reader) {
      const auto index = scan.bound->next_segment.fetch_add(1);
      if (index >= scan.bound->segments.size()) return std::string_view();
      scan.path = scan.bound->segments[index];
      WEIR_TRY(scan.reader, log::SegmentReader::open(scan.path));
    }
    WEIR_TRY(const auto commit, scan.reader->next_commit());
    if (commit) {
      scan.lines = commit->lines;
      scan.offset = commit->offset;
    } else {
      for (const auto& damage : scan.reader->damage()) {
        scan.bound->source->bad->add({scan.path, damage.offset, damage.reason});
      }
      scan.reader.reset();
    }
  }
}

/// Fills a chunk; fewer rows than fit, or none, at the end.
Result<void> fill(Scan& scan, duckdb_data_chunk chunk) {
  const auto& api = duckdb();
  const auto capacity = api.duckdb_vector_size();
  std::vector<duckdb_vector> vectors;
  vectors.reserve(scan.columns.size());
  for (idx_t i = 0; i < scan.columns.size(); ++i) {
    vectors.push_back(api.duckdb_data_chunk_get_vector(chunk, i));
  }
  std::vector<idx_t> used(vectors.size());
  idx_t row = 0;
  while (row < capacity) {
    WEIR_TRY(const auto line, next_line(scan));
    if (line.empty()) break;
    const auto event = scan.decoder.decode(line);
    if (!event) {
      scan.bound->source->bad->add(
          {scan.path, scan.offset - line.size() - 1, event.error().message});
      continue;
    }
    const auto& run_id = scan.bound->run_id;
    if (run_id && (*event)->text(Field::kRunId) != *run_id) continue;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      // Asked for no column in particular, as count(*) does, DuckDB names one that does not exist.
      if (static_cast<std::size_t>(scan.columns[i]) >= event::kFieldCount) continue;
      put_field(vectors[i], row, **event, scan.columns[i], used[i]);
    }
    ++row;
  }
  api.duckdb_data_chunk_set_size(chunk, row);
  return {};
}

void produce(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto* scan = static_cast<Scan*>(duckdb().duckdb_function_get_local_init_data(info));
  const auto filled = fill(*scan, chunk);
  if (!filled) duckdb().duckdb_function_set_error(info, filled.error().message.c_str());
}

}  // namespace

void BadPlaces::add(BadPlace place) {
  const std::lock_guard lock(mutex_);
  places_.insert(std::move(place));
}

std::vector<BadPlace> BadPlaces::all() const {
  const std::lock_guard lock(mutex_);
  return {places_.begin(), places_.end()};
}

Result<void> EventTable::add(Connection& connection, const log::StoreDirectory& store,
                             std::shared_ptr<BadPlaces> bad) {
  const auto& api = duckdb();
  auto* function = api.duckdb_create_table_function();
  api.duckdb_table_function_set_name(function, "weir_events");
  const LogicalType text(api.duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  api.duckdb_table_function_add_named_parameter(function, "run_id", text.get());
  api.duckdb_table_function_set_extra_info(
      function, std::make_unique<Source>(Source{store, std::move(bad)}).release(),
      &destroy<Source>);
  api.duckdb_table_function_set_bind(function, &bind);
  api.duckdb_table_function_set_init(function, &init);
  api.duckdb_table_function_set_local_init(function, &init_thread);
  api.duckdb_table_function_set_function(function, &produce);
  api.duckdb_table_function_supports_projection_pushdown(function, true);
  const auto state = api.duckdb_register_table_function(connection.impl_->connection, function);
  api.duckdb_destroy_table_function(&function);
  if (state == DuckDBError)
    return fail(ErrorCode::kInvalidInput, "weir_events is registered already");
  return {};
}

}  // namespace weir::store
