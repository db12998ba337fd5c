#include "store/rollup_writer.h"

#include <memory>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "rollup_sql.h"
#include "store/event_table.h"
#include "store/part_reader.h"
#include "store/query.h"

namespace weir::store {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 32;
/// What DuckDB has to know of so many while it sums them up is a quarter of what it may have.
constexpr std::uint64_t kSeriesAtOnce = 150'000;
/// All that a row of `weir_rollup()` is of.
constexpr const char* kSeries =
    "hash(date_trunc('minute', timestamp), tenant_id, pipeline_type, pipeline_id, event_type, "
    "level, "
    "node_id, plugin_id, tool_id, agent_id, provider, operation, model_id, signal_type, outcome, "
    "error_type, reason, cache_hit)";
/// Rows that DuckDB can leave out together when a query wants other types or times.
constexpr const char* kCopyOptions = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 16384)";

/// The two integers in the only row of a query.
Result<std::pair<std::uint64_t, std::uint64_t>> two_numbers(Connection& connection,
                                                            const std::string& sql) {
  WEIR_TRY(auto rows, connection.query(sql));
  const auto* row = rows.next();
  if (row == nullptr || row->size() != 2) return fail(ErrorCode::kInvalidInput, "no answer");
  const auto* first = row->at(0).integer();
  const auto* second = row->at(1).integer();
  if (first == nullptr || second == nullptr) return fail(ErrorCode::kInvalidInput, "no numbers");
  return std::pair(static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*second));
}

}  // namespace

RollupWriter::RollupWriter(log::StoreDirectory store, std::filesystem::path scratch,
                           Database database, Connection connection)
    : store_(std::move(store)),
      scratch_(std::move(scratch)),
      database_(std::move(database)),
      connection_(std::move(connection)) {}

Result<RollupWriter> RollupWriter::open(const log::StoreDirectory& store,
                                        std::filesystem::path scratch) {
  std::error_code error;
  std::filesystem::create_directories(scratch, error);
  if (error) return fail(ErrorCode::kIo, scratch.string() + ": " + error.message());
  WEIR_TRY(auto database, Database::open_in_memory());
  WEIR_TRY(auto connection, database.connect());
  // For the names of columns and the macros alone: what is summed up is said each time.
  WEIR_TRY_VOID(EventTable::add(connection, store, log::Manifest(), std::make_shared<BadPlaces>()));
  WEIR_TRY(create_views(connection));
  WEIR_TRY(
      connection.execute("SET threads = 2; SET memory_limit = '640MiB'; SET temp_directory = " +
                         sql_string((scratch / "spilled").string())));
  return RollupWriter(store, std::move(scratch), std::move(database), std::move(connection));
}

Result<Rollup> RollupWriter::sum_up(const BatchRange& batches,
                                    const std::vector<std::filesystem::path>& parts) {
  WEIR_TRY(connection_.execute(
      "CREATE OR REPLACE MACRO weir_unrolled() AS TABLE SELECT * FROM weir_tail() WHERE false; "
      "CREATE OR REPLACE TEMP TABLE summed AS SELECT * FROM weir_rollup()"));
  std::vector<std::filesystem::path> paths;
  paths.reserve(parts.size());
  for (const auto& part : parts) {
    WEIR_TRY(auto path, local(part));
    paths.push_back(std::move(path));
  }
  // Of batches whose runs are all deleted nothing is left.
  if (!paths.empty()) WEIR_TRY(sum_up(parts_sql(paths)));
  Rollup rollup{.batches = batches};
  WEIR_TRY(write(rollup, RollupLevel::kMinutes,
                 "SELECT * REPLACE (NULL::VARCHAR AS node_id) FROM summed"));
  WEIR_TRY(write(rollup, RollupLevel::kHours,
                 "SELECT * REPLACE (date_trunc('hour', time) AS time) FROM summed"));
  return rollup;
}

/// Adds events to the table `summed`: of some series after the others, since what DuckDB has to
/// know of each while it sums them up must be in memory. Of all parts at once: many series are in
/// each.
Result<void> RollupWriter::sum_up(const std::string& events) {
  const std::string series = kSeries;
  WEIR_TRY(const auto counts, two_numbers(connection_, "SELECT count(*), approx_count_distinct(" +
                                                           series + ") FROM " + events));
  const auto slices = counts.second / kSeriesAtOnce + 1;
  for (std::uint64_t slice = 0; slice < slices; ++slice) {
    std::string rows = "SELECT * FROM " + events;
    if (slices > 1) {
      rows += " WHERE " + series + " % " + std::to_string(slices) + " = " + std::to_string(slice);
    }
    WEIR_TRY(connection_.execute("CREATE OR REPLACE MACRO weir_unrolled() AS TABLE " + rows));
    WEIR_TRY(connection_.execute("INSERT INTO summed SELECT * FROM weir_rollup()"));
  }
  return {};
}

Result<Rollup> RollupWriter::merge(std::span<const Rollup> neighbours) {
  Rollup merged{.batches = {.first = neighbours.front().batches.first,
                            .last = neighbours.back().batches.last}};
  for (const auto level : kRollupLevels) {
    WEIR_TRY(const auto rows, rows_of(neighbours, level));
    WEIR_TRY(write(merged, level, rows));
  }
  return merged;
}

Result<Rollup> RollupWriter::without_rows_before(const Rollup& rollup, std::string_view date) {
  const auto day = "TIMESTAMP " + sql_string(date);
  WEIR_TRY(const auto minutes, rows_of({&rollup, 1}, RollupLevel::kMinutes));
  std::string sql = "SELECT count(*), count(*) FILTER (time < ";
  sql.append(day).append(") FROM (").append(minutes).append(")");
  WEIR_TRY(const auto counts, two_numbers(connection_, sql));
  if (counts.second == 0) return rollup;
  Rollup rest{.batches = rollup.batches};
  for (const auto level : kRollupLevels) {
    WEIR_TRY(const auto rows, rows_of({&rollup, 1}, level));
    std::string newer = "SELECT * FROM (";
    newer.append(rows).append(") WHERE time >= ").append(day);
    WEIR_TRY(write(rest, level, newer));
  }
  return rest;
}

/// Where DuckDB finds a file of the store, which may be on another file system than it knows.
Result<std::filesystem::path> RollupWriter::local(const std::filesystem::path& path) {
  if (&store_.files() == &local_files()) return path;
  WEIR_TRY(const auto bytes, read_file(path, kMaxFileBytes, store_.files()));
  auto copy = scratch_ / sha256(path.string()).text();
  WEIR_TRY(write_file_durably(copy, bytes));
  return copy;
}

Result<std::string> RollupWriter::rows_of(std::span<const Rollup> rollups, RollupLevel level) {
  std::vector<std::filesystem::path> paths;
  paths.reserve(rollups.size());
  for (const auto& rollup : rollups) {
    WEIR_TRY(auto path, local(rollup_path(store_, rollup, level)));
    paths.push_back(std::move(path));
  }
  return "SELECT * FROM " + rollup_rows_sql(paths);
}

/// Makes a file of what a query gives, and says so in `rollup`.
Result<void> RollupWriter::write(Rollup& rollup, RollupLevel level, const std::string& rows) {
  const auto made = scratch_ / "rollup.parquet";
  WEIR_TRY(connection_.execute("CREATE OR REPLACE TEMP VIEW rolled AS " + rows));
  WEIR_TRY(connection_.execute("COPY (" + std::string(rollup_sql::kFiles[0].text) + ") TO " +
                               sql_string(made.string()) + ' ' + kCopyOptions));
  WEIR_TRY(const auto counts,
           two_numbers(connection_, "SELECT count(*), coalesce(sum(events), 0)::BIGINT FROM " +
                                        rollup_rows_sql({made})));
  WEIR_TRY(const auto bytes, read_file(made, kMaxFileBytes));
  auto& file = level == RollupLevel::kMinutes ? rollup.minutes : rollup.hours;
  file = {.rows = counts.first, .bytes = bytes.size(), .crc32c = crc32c(bytes)};
  rollup.events = counts.second;
  const auto path = rollup_path(store_, rollup, level);
  WEIR_TRY(make_directories(path.parent_path(), store_.files()));
  WEIR_TRY(write_file_durably(path, bytes, store_.files()));
  // The folders may have been made by somebody who was stopped before they were durable.
  for (const auto& folder : {rollup_folder(store_), store_.root()}) {
    WEIR_TRY(sync_directory(folder, store_.files()));
  }
  return {};
}

}  // namespace weir::store
