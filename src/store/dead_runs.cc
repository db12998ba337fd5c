#include "store/dead_runs.h"

#include "store/database.h"

namespace weir::store {

std::string living_sql(const std::filesystem::path& file, const std::vector<RunId>& dead) {
  if (dead.empty()) return {};
  auto sql = "NOT (part.filename = " + sql_string(file.string()) + " AND part.run_id IN (";
  for (const auto& run : dead) sql += (sql.back() == '(' ? "" : ", ") + sql_string(run.text());
  return sql + "))";
}

std::string living_sql(const log::StoreDirectory& store, const std::vector<log::Part>& parts) {
  std::string sql;
  for (const auto& part : parts) {
    sql = both_sql(sql, living_sql(store.parts() / part.file, part.dead));
  }
  return sql;
}

std::string both_sql(const std::string& a, const std::string& b) {
  return a + (a.empty() || b.empty() ? "" : " AND ") + b;
}

}  // namespace weir::store
