#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace weir {

/// Something wrong in a file that a person wrote.
struct Problem {
  json::Position position;
  std::string message;
  std::string code{};  ///< what kind it is, for programs: "CYCLE"; empty: nothing is said
  bool operator==(const Problem&) const = default;
};

/// "file:line:column: message", or the message alone of what came from no file.
[[nodiscard]] std::string to_string(const Problem& problem, std::string_view file);

/// What json::parse or yaml::parse complained of: its message begins with "LINE:COLUMN: ".
[[nodiscard]] Problem located(const Error& error);

}  // namespace weir
