#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "report/usual.h"
#include "store/database.h"

namespace weir::report {

/// How long the nodes of a pipeline took in its newest completed runs.
class NodeHistory {
 public:
  /// As many runs as are looked at: what was long ago says little of now.
  static constexpr std::size_t kMostRuns = 30;

  /// Of runs that ended before `before`, without those in `without`; of a tenant's alone, if one is
  /// named (empty: nobody's). The connection has the store's views (store/query.h). Errors: those
  /// of a query.
  [[nodiscard]] static Result<NodeHistory> read(store::Connection& connection,
                                                std::string_view pipeline_id, Timestamp before,
                                                std::span<const RunId> without = {},
                                                const std::optional<std::string>& tenant = {});
  /// For what is known from elsewhere.
  explicit NodeHistory(std::map<std::string, Usual, std::less<>> nodes)
      : nodes_(std::move(nodes)) {}
  NodeHistory() = default;

  /// In milliseconds; of the run itself for an empty id. What came from a cache counts only for a
  /// node of which nothing else is known. Nothing: no run has completed it.
  [[nodiscard]] std::optional<Usual> usual(std::string_view node_id) const;

 private:
  std::map<std::string, Usual, std::less<>> nodes_;
};

}  // namespace weir::report
