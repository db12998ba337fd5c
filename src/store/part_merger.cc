#include "store/part_merger.h"

#include <string>
#include <system_error>

#include "store/dead_runs.h"
#include "store/part_reader.h"
#include "store/part_writer.h"

namespace weir::store {
namespace {

/// What a foreign event is known by, and where it is. Of those with one key the first has 1.
constexpr std::string_view kNumberedKeys = R"(
SELECT file, row_in_file FROM (
  SELECT part.filename AS file, part.file_row_number AS row_in_file,
    row_number() OVER (
      PARTITION BY part.run_id, coalesce(nullif(part.event_id, ''), part.idempotency_key)
      ORDER BY part.run_seq, part.filename, part.file_row_number) AS place
  FROM )";
constexpr std::string_view kOfKeyed =
    " AND part.pipeline_type = 'external'"
    " AND coalesce(nullif(part.event_id, ''), nullif(part.idempotency_key, '')) IS NOT NULL)"
    " WHERE place > 1";

/// DuckDB's view of the parts: the conditions name files as it opens them.
struct MergeSource {
  std::vector<std::filesystem::path> files;
  std::string living;  // a condition; never empty
};

Result<MergeSource> merge_source_of(const PartFolder& folder, const std::vector<log::Part>& parts) {
  MergeSource source;
  for (const auto& part : parts) {
    WEIR_TRY(auto file, folder.to_read(part));
    source.living = both_sql(source.living, living_sql(file, part.dead));
    source.files.push_back(std::move(file));
  }
  if (source.living.empty()) source.living = "true";
  return source;
}

Result<std::int64_t> number_in(Connection& connection, const std::string& sql) {
  WEIR_TRY(auto rows, connection.query(sql));
  const auto* row = rows.next();
  const auto* number = row == nullptr ? nullptr : row->front().integer();
  return number == nullptr ? 0 : *number;
}

Result<std::uint64_t> find_duplicates(Connection& connection, const MergeSource& source) {
  WEIR_TRY(connection.execute("CREATE OR REPLACE TEMP TABLE duplicate AS " +
                              std::string(kNumberedKeys) + placed_parts_sql(source.files) +
                              " AS part WHERE (" + source.living + ")" + std::string(kOfKeyed)));
  WEIR_TRY(const auto count, number_in(connection, "SELECT count(*) FROM duplicate"));
  return static_cast<std::uint64_t>(count);
}

}  // namespace

Result<MergedPart> merge_parts(PartFolder& folder, Connection& connection,
                               const std::vector<log::Part>& parts, std::uint64_t number) {
  WEIR_TRY(const auto source, merge_source_of(folder, parts));
  MergedPart merged;
  auto sql =
      "SELECT part.* FROM " + raw_parts_sql(source.files) + " AS part WHERE " + source.living;
  if (parts.size() > 1) {
    WEIR_TRY(merged.duplicates, find_duplicates(connection, source));
    if (merged.duplicates > 0) {
      sql +=
          " AND NOT EXISTS (FROM duplicate WHERE file = part.filename"
          " AND row_in_file = part.file_row_number)";
    }
    sql += " ORDER BY part.run_id, part.run_seq";  // one by itself has this order
  }
  const auto made = folder.scratch() / ("merged-" + std::to_string(number) + ".parquet");
  std::error_code ignored;
  std::filesystem::remove(made, ignored);
  auto copied = number_in(connection, "COPY (" + sql + ") TO " + sql_string(made.string()) + ' ' +
                                          std::string(kPartFormat));
  if (!copied) {
    std::filesystem::remove(made, ignored);
    return std::unexpected(of_writing(std::move(copied).error()));
  }
  const auto events = *copied;
  if (events == 0) return merged;
  WEIR_TRY(auto rows, connection.query("SELECT min(run_id), max(run_id) FROM read_parquet(" +
                                       sql_string(made.string()) + ")"));
  const auto* row = rows.next();
  const auto first = row == nullptr ? std::nullopt : RunId::parse(*row->at(0).string());
  const auto last = row == nullptr ? std::nullopt : RunId::parse(*row->at(1).string());
  if (!first || !last) return fail(ErrorCode::kInvalidInput, made.string() + ": has no runs");
  log::Part part{.file = log::part_file(parts.front().date, parts.front().tenant, number),
                 .date = parts.front().date,
                 .tenant = parts.front().tenant,
                 .batch = parts.front().batch,
                 .last_batch = parts.back().last_batch,
                 .events = static_cast<std::uint64_t>(events),
                 .first_run = *first,
                 .last_run = *last};
  WEIR_TRY(folder.put_file(part, made));
  std::filesystem::remove(made, ignored);
  merged.part = std::move(part);
  return merged;
}

}  // namespace weir::store
