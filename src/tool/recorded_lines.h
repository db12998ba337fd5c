#pragma once

#include <cstddef>
#include <string_view>

#include "tool/tool.h"

namespace weir::tool {

/// A line counts this much more than it has bytes, for its event.
inline constexpr std::size_t kLineCost = 64;

/// Records the lines that a program prints on one of its streams as `log` events, up to a limit,
/// and then that there were more.
class RecordedLines {
 public:
  struct Stream {
    std::string_view logger;   ///< "stdout"
    std::string_view told_by;  ///< the logger that says that there were more
    std::size_t max_bytes;     ///< of the lines, with kLineCost each
  };
  /// `call` outlives it.
  RecordedLines(const Call& call, const Stream& stream) : call_(call), stream_(stream) {}

  void add(std::string_view line, bool continues);

 private:
  const Call& call_;
  const Stream stream_;
  std::size_t recorded_ = 0;
  bool full_ = false;
};

}  // namespace weir::tool
