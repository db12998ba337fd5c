#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace weir::tool {

/// A longer line comes in pieces.
inline constexpr std::size_t kMaxLogLine = std::size_t{8} << 10;

/// A line without its newline, at most kMaxLogLine; the flag says that the line goes on.
using LineHandler = std::function<void(std::string_view line, bool continues)>;

/// Cuts a stream into lines.
class LineSplitter {
 public:
  explicit LineSplitter(LineHandler on_line) : on_line_(std::move(on_line)) {}

  void add(std::string_view bytes);
  /// The stream has ended: its last line needs no newline.
  void finish();

 private:
  void tell(bool continues);

  const LineHandler on_line_;
  std::string line_;
};

}  // namespace weir::tool
