#pragma once

#include <string>

namespace weir::random_runs {

/// What a pipeline that nodes of another one run is like.
struct ChildPipeline {
  std::string id;
  bool tries_again = false;  ///< its first node fails once
  bool fails = false;        ///< its last node does, for good
};

/// JSON.
[[nodiscard]] std::string text_of(const ChildPipeline& child);

}  // namespace weir::random_runs
