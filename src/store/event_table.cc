#include "store/event_table.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "event/decoder.h"
#include "log/segment.h"
#include "store/connection_impl.h"
#include "store/dead_runs.h"
#include "store/event_columns.h"
#include "store/part_reader.h"
#include "store/rollup.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

using event::Field;

/// What the table is made of, for as long as it is registered.
struct Source {
  log::StoreDirectory store;
  std::shared_ptr<const log::Manifest> manifest;
  std::optional<std::string> tenant;  // whose events alone
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
  const auto& store = bound->source->store;
  const auto names = store.segment_names();
  if (!names) return api.duckdb_bind_set_error(info, names.error().message.c_str());
  for (const auto& name : *names) {
    if (!bound->source->manifest->has_replaced(name))
      bound->segments.push_back(store.segment(name));
  }
  add_event_columns(info);
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
  scan->columns = wanted_columns(info);
  api.duckdb_init_set_init_data(info, scan.release(), &destroy<Scan>);
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

bool is_wanted(const Scan& scan, const event::EventView& event) {
  const auto& run_id = scan.bound->run_id;
  const auto& tenant = scan.bound->source->tenant;
  return (!run_id || event.text(Field::kRunId) == *run_id) &&
         (!tenant || event.text(Field::kTenantId) == *tenant);
}

/// Fills a chunk; fewer rows than fit, or none, at the end.
Result<void> fill(Scan& scan, duckdb_data_chunk chunk) {
  EventRows rows(chunk, scan.columns);
  while (!rows.is_full()) {
    WEIR_TRY(const auto line, next_line(scan));
    if (line.empty()) break;
    const auto event = scan.decoder.decode(line);
    if (!event) {
      scan.bound->source->bad->add(
          {scan.path, scan.offset - line.size() - 1, event.error().message});
      continue;
    }
    if (is_wanted(scan, **event)) rows.add(**event);
  }
  rows.finish();
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

void BadPlaces::leave_out(const PartNames& parts) {
  const std::lock_guard lock(mutex_);
  left_out_.insert(parts.begin(), parts.end());
}

PartNames BadPlaces::left_out() const {
  const std::lock_guard lock(mutex_);
  return left_out_;
}

namespace {

/// The path of a part by which DuckDB knows it; nothing if that leads elsewhere, over a symbolic
/// link.
std::optional<std::filesystem::path> true_path(const std::filesystem::path& parts,
                                               const std::string& file) {
  std::error_code error;
  const auto path = parts / file;
  const auto canonical = std::filesystem::canonical(path, error);
  return !error && canonical == path ? std::optional(path) : std::nullopt;
}

/// A part as DuckDB finds it, and the runs that may be in it.
struct PartFile {
  std::filesystem::path path;
  RunId first_run;
  RunId last_run;
};

/// The parts that can be read.
struct PartFiles {
  std::map<std::string, std::filesystem::path, std::less<>> paths;  // by Part::file
  std::vector<PartFile> files;                                      // in the manifest's order
  std::string living;                                               ///< see living_sql
};

PartFiles files_of_parts(const log::StoreDirectory& store, const log::Manifest& manifest,
                         const EventTableOptions& options, BadPlaces& bad) {
  std::vector<BadPlace> places;
  const auto wants = [&](const log::Part& part) {
    return (!options.tenant || part.tenant.value_or("") == *options.tenant) &&
           !options.left_out.contains(part.file);
  };
  std::error_code error;  // without the folder there is no part in it
  const auto folder = std::filesystem::canonical(store.parts(), error);
  PartFiles parts;
  for (const auto& part : whole_parts(store, manifest, wants, places)) {
    if (auto path = true_path(folder, part.file)) {
      parts.living = both_sql(parts.living, living_sql(*path, part.dead));
      parts.files.push_back({*path, part.first_run, part.last_run});
      parts.paths.emplace(part.file, *std::move(path));
    } else {
      places.push_back({store.parts() / part.file, 0, "a symbolic link leads elsewhere"});
    }
  }
  for (auto& place : places) bad.add(std::move(place));
  return parts;
}

/// All events: those in parts, and after them the tail. A part that was written before a field was
/// in the catalogue has no column for it.
std::string events_sql(const PartFiles& parts) {
  std::string sql = "CREATE OR REPLACE MACRO weir_events(run_id := NULL) AS TABLE ";
  if (!parts.files.empty()) {
    sql += "SELECT part.* FROM " + listed_parts_sql("weir_part_files(run_id)", parts.living) +
           " AS part WHERE run_id IS NULL OR part.run_id = run_id UNION ALL BY NAME ";
  }
  return sql + "SELECT * FROM weir_tail(run_id := run_id)";
}

using PartFileList = std::vector<PartFile>;

/// The files in which a run's events may be, all for NULL, and one of them if that is none: DuckDB
/// opens each that it reads from, to ask it for its columns.
void part_files(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  const auto& api = duckdb();
  const auto& files =
      *static_cast<const PartFileList*>(api.duckdb_scalar_function_get_extra_info(info));
  auto* run_ids = api.duckdb_data_chunk_get_vector(input, 0);
  idx_t used = 0;
  for (idx_t row = 0; row < api.duckdb_data_chunk_get_size(input); ++row) {
    const auto run_id =
        is_valid(run_ids, row) ? RunId::parse(text_element(run_ids, row)) : std::nullopt;
    std::vector<std::string> wanted;
    for (const auto& file : files) {
      if (!is_valid(run_ids, row) ||
          (run_id && file.first_run <= *run_id && *run_id <= file.last_run)) {
        wanted.push_back(file.path.string());
      }
    }
    if (wanted.empty()) wanted.push_back(files.front().path.string());
    put_strings(output, row, wanted, used);
  }
}

Result<void> add_part_files(Connection& connection, PartFileList files) {
  const auto& api = duckdb();
  auto* function = api.duckdb_create_scalar_function();
  const LogicalType text(api.duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  api.duckdb_scalar_function_set_name(function, "weir_part_files");
  api.duckdb_scalar_function_add_parameter(function, text.get());
  api.duckdb_scalar_function_set_return_type(
      function, LogicalType(api.duckdb_create_list_type(text.get())).get());
  api.duckdb_scalar_function_set_special_handling(function);  // it is asked about NULL too
  api.duckdb_scalar_function_set_extra_info(
      function, std::make_unique<PartFileList>(std::move(files)).release(), &destroy<PartFileList>);
  api.duckdb_scalar_function_set_function(function, &part_files);
  const auto state = api.duckdb_register_scalar_function(connection.impl().connection, function);
  api.duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) {
    return fail(ErrorCode::kInvalidInput, "weir_part_files is registered already");
  }
  return {};
}

Result<void> add_tail(Connection& connection, Source source) {
  const auto& api = duckdb();
  auto* function = api.duckdb_create_table_function();
  api.duckdb_table_function_set_name(function, "weir_tail");
  const LogicalType text(api.duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  api.duckdb_table_function_add_named_parameter(function, "run_id", text.get());
  api.duckdb_table_function_set_extra_info(
      function, std::make_unique<Source>(std::move(source)).release(), &destroy<Source>);
  api.duckdb_table_function_set_bind(function, &bind);
  api.duckdb_table_function_set_init(function, &init);
  api.duckdb_table_function_set_local_init(function, &init_thread);
  api.duckdb_table_function_set_function(function, &produce);
  api.duckdb_table_function_supports_projection_pushdown(function, true);
  const auto state = api.duckdb_register_table_function(connection.impl().connection, function);
  api.duckdb_destroy_table_function(&function);
  if (state == DuckDBError) {
    return fail(ErrorCode::kInvalidInput, "weir_tail is registered already");
  }
  return {};
}

}  // namespace

Result<std::vector<std::filesystem::path>> EventTable::add(Connection& connection,
                                                           const log::StoreDirectory& store,
                                                           const log::Manifest& manifest,
                                                           std::shared_ptr<BadPlaces> bad,
                                                           const EventTableOptions& options) {
  auto parts = files_of_parts(store, manifest, options, *bad);
  WEIR_TRY(add_tail(connection, {.store = store,
                                 .manifest = std::make_shared<const log::Manifest>(manifest),
                                 .tenant = options.tenant,
                                 .bad = std::move(bad)}));
  WEIR_TRY(add_part_files(connection, parts.files));
  WEIR_TRY(connection.execute(events_sql(parts)));
  std::vector<std::filesystem::path> files;
  files.reserve(parts.files.size());
  for (const auto& file : parts.files) files.push_back(file.path);
  if (options.rollups == EventTableOptions::Rollups::kSummedUp) {
    WEIR_TRY(add_no_rollup_tables(connection));
    return files;
  }
  WEIR_TRY(auto rollups, add_rollup_tables(connection, store, manifest,
                                           {.tenant = options.tenant, .parts = parts.paths}));
  std::ranges::move(rollups, std::back_inserter(files));
  return files;
}

}  // namespace weir::store
