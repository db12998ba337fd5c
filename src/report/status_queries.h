#pragma once

#include <string>
#include <string_view>

namespace weir::report {

/// The text of sql/status/NAME.sql.
[[nodiscard]] std::string status_query(std::string_view name);

}  // namespace weir::report
