#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/id.h"
#include "export/metrics_files.h"
#include "store/database.h"

namespace weir::exporting {
namespace {

/// Far more than kMaxMetricSeries nodes take.
constexpr std::uint64_t kMaxParquetBytes = 1ULL << 30;
/// Of one INSERT.
constexpr std::size_t kRowsOfStatement = 500;

constexpr std::string_view kTable =
    "CREATE TABLE metrics (metric_type VARCHAR, name VARCHAR, value DOUBLE, timestamp TIMESTAMP, "
    "label_pipeline VARCHAR, label_error_type VARCHAR, count UBIGINT, sum DOUBLE, min DOUBLE, "
    "max DOUBLE)";

std::string text_or_null(const std::string& text) {
  return text.empty() ? "NULL" : store::sql_string(text);
}

/// A file of our own in the system's temporary folder, removed at the end.
struct Temporary {
  std::filesystem::path path;
  ~Temporary() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

std::string number_sql(double value) {
  std::string text;
  json::append_double(text, value);
  return "'" + text + "'::DOUBLE";
}

std::string row_sql(const MetricRow& row) {
  auto sql = "(" + store::sql_string(row.metric_type) + "," + store::sql_string(row.name) + "," +
             number_sql(row.value) + "," + store::sql_string(to_string(row.timestamp)) + "," +
             text_or_null(row.pipeline) + "," + text_or_null(row.error_type);
  if (!row.values) return sql + ",NULL,NULL,NULL,NULL)";
  const auto& values = *row.values;
  return sql + "," + std::to_string(values.count) + "," + number_sql(values.sum) + "," +
         number_sql(values.min) + "," + number_sql(values.max) + ")";
}

Result<void> insert(store::Connection& connection, const std::vector<MetricRow>& rows) {
  std::string sql;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sql += (sql.empty() ? "INSERT INTO metrics VALUES " : ",") + row_sql(rows[i]);
    if ((i + 1) % kRowsOfStatement != 0 && i + 1 < rows.size()) continue;
    WEIR_TRY(connection.execute(sql));
    sql.clear();
  }
  return {};
}

}  // namespace

Result<std::string> to_parquet(const project::RunMetrics& metrics) {
  WEIR_TRY(const auto database, store::Database::open_in_memory());
  WEIR_TRY(auto connection, database.connect());
  WEIR_TRY(connection.execute(std::string(kTable)));
  WEIR_TRY(insert(connection, metric_rows(metrics)));
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return fail(ErrorCode::kIo, "no temporary folder: " + error.message());
  const Temporary file{folder / ("weir-metrics-" + std::to_string(random_bits()) + ".parquet")};
  const auto copied = connection.execute(
      "COPY (FROM metrics ORDER BY label_pipeline, name, metric_type, "
      "label_error_type) TO " +
      store::sql_string(file.path.string()) + " (FORMAT parquet, COMPRESSION zstd)");
  if (!copied) return fail(ErrorCode::kIo, copied.error().message);
  return read_file(file.path, kMaxParquetBytes);
}

}  // namespace weir::exporting
