#pragma once

#include <vector>

#include "server/api.h"

namespace weir::server {

/// What can be asked, as OpenAPI 3.1 describes it: made from the routes and, of the items of lists,
/// from the columns of the store's views (see schemas.h).
[[nodiscard]] std::string openapi(const std::vector<Route>& routes, const Table& columns);

/// Where it is read.
[[nodiscard]] Route openapi_route(const Api& api, const std::vector<Route>& routes);

/// Whether the server lives, and whether it takes requests.
[[nodiscard]] std::vector<Route> health_routes(const Api& api);

}  // namespace weir::server
