#pragma once

#include <optional>
#include <string>

#include "base/json.h"

namespace weir::report {

/// Where two values say different things first, in the order of the first one's members.
struct JsonDifference {
  std::string path;   ///< "rows[0].total"; empty: the values themselves
  std::string left;   ///< as JSON, cut; empty: there is none there
  std::string right;  ///< the same

  bool operator==(const JsonDifference&) const = default;
};

/// Nothing when they are equal: the order of members says nothing, and 1 is 1.0. Of what is nested
/// deeper than json::kMaxDepth, nothing is said.
[[nodiscard]] std::optional<JsonDifference> first_difference(const json::Value& left,
                                                             const json::Value& right);

}  // namespace weir::report
