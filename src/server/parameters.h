#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "server/api.h"

namespace weir::server {

/// A time as parameters give it: RFC 3339, "2026-01-05", or "2026-01-05 03:00" with or without
/// seconds, in UTC.
[[nodiscard]] std::optional<Timestamp> moment_of(std::string_view text);

/// A time of a parameter that `check_query` has taken, as SQL has it.
[[nodiscard]] std::string time_sql(std::string_view text);

/// These, and those of a list that comes in pages.
[[nodiscard]] std::vector<Parameter> with_page(std::vector<Parameter> parameters);

/// Holds a query against what the route declares: each name is there, once, and its value is of its
/// type. Errors: kInvalidInput.
[[nodiscard]] Result<void> check_query(const Route& route, const Request& request);

/// The route that refuses what `check_query` does not take, and answers the rest as before.
[[nodiscard]] Route held_to_its_query(Route route);

}  // namespace weir::server
