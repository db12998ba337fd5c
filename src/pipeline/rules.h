#pragma once

#include <span>
#include <string_view>

/// The kinds of problems and warnings of pipeline files, and how each is mended.
namespace weir::pipeline {

struct Rule {
  std::string_view code;
  std::string_view fix;
  std::string_view page;  ///< of the documentation, from the top of the project on
};

/// Of what has no rule.
inline constexpr std::string_view kFormPage = "docs/reference/pipeline.md";

/// By code. What has none is wrong in its form: the message says what belongs there.
[[nodiscard]] std::span<const Rule> rules();
/// Null when there is no such rule.
[[nodiscard]] const Rule* find_rule(std::string_view code);

}  // namespace weir::pipeline
