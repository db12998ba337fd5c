#pragma once

#include <span>
#include <string_view>

/// The kinds of problems and warnings of pipeline files, and how each is mended.
namespace weir::pipeline {

struct Rule {
  std::string_view code;
  std::string_view fix;
};

/// By code. What has none is wrong in its form: the message says what belongs there.
[[nodiscard]] std::span<const Rule> rules();
/// Empty when there is no such rule.
[[nodiscard]] std::string_view fix_of(std::string_view code);

}  // namespace weir::pipeline
