#include "server/router.h"

#include <utility>

namespace weir::server {
namespace {

bool is_open(std::string_view segment) { return segment.starts_with('{'); }

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_open(pattern[i]) ? segments[i].empty() : pattern[i] != segments[i]) return false;
  }
  return true;
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (const auto& route : routes_) {
    auto target = parse_target(route.path);
    WEIR_CHECK(target);
    patterns_.push_back(target ? std::move(target->segments) : std::vector<std::string>());
  }
}

Router::Match Router::find(http::verb method, const std::vector<std::string>& segments) const {
  Match match;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!matches(patterns_[i], segments)) continue;
    const auto& route = routes_[i];
    const bool is_head = method == http::verb::head && route.method == http::verb::get;
    if (route.method == method || is_head) {
      match.route = &route;
      match.segments.clear();
      for (std::size_t at = 0; at < segments.size(); ++at) {
        if (is_open(patterns_[i][at])) match.segments.push_back(segments[at]);
      }
      return match;
    }
    match.other = &route;
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += http::to_string(route.method);
  }
  return match;
}

}  // namespace weir::server
