#include "report/status_queries.h"

#include "base/result.h"
#include "sql_status.h"

namespace weir::report {

std::string status_query(std::string_view name) {
  for (const auto& file : status_sql::kFiles) {
    if (file.name == name) return std::string(file.text);
  }
  check_failed("a query of sql/status", __FILE__, __LINE__);
}

}  // namespace weir::report
