#include "base/problem.h"

#include <charconv>

namespace weir {

std::string to_string(const Problem& problem, std::string_view file) {
  if (problem.position.line == 0) return problem.message;
  return std::string(file) + ":" + std::to_string(problem.position.line) + ":" +
         std::to_string(problem.position.column) + ": " + problem.message;
}

Problem located(const Error& error) {
  const auto& message = error.message;
  Problem problem{.position = {1, 1}, .message = message};
  json::Position position;
  const char* const end = message.data() + message.size();
  const auto line = std::from_chars(message.data(), end, position.line);
  if (line.ec != std::errc() || line.ptr == end || *line.ptr != ':') return problem;
  const auto column = std::from_chars(line.ptr + 1, end, position.column);
  if (column.ec != std::errc() || end - column.ptr < 2) return problem;
  return {.position = position, .message = std::string(column.ptr + 2, end)};
}

}  // namespace weir
