#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/api.h"

namespace weir::server {

/// Finds the route of a request.
///
/// Threads Immutable.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  /// What a request is for.
  struct Match {
    const Route* route = nullptr;         ///< null: none has this path and method
    const Route* other = nullptr;         ///< then one of this path, if there is any
    std::vector<std::string> segments{};  ///< that the route leaves open
    std::string allowed{};                ///< the methods of its path, "GET, POST"; empty: no path
  };
  [[nodiscard]] Match find(http::verb method, const std::vector<std::string>& segments) const;

  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  const std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  // of each route
};

}  // namespace weir::server
