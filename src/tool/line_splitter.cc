#include "tool/line_splitter.h"

namespace weir::tool {

void LineSplitter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    const auto piece = bytes.substr(0, newline);
    const auto room = kMaxLogLine - line_.size();
    line_.append(piece.substr(0, room));
    if (piece.size() > room) {
      bytes.remove_prefix(room);
      tell(true);
    } else if (newline == std::string_view::npos) {
      return;
    } else {
      bytes.remove_prefix(newline + 1);
      tell(false);
    }
  }
}

void LineSplitter::finish() {
  if (!line_.empty()) tell(false);
}

void LineSplitter::tell(bool continues) {
  std::string_view line = line_;
  if (!continues && line.ends_with('\r')) line.remove_suffix(1);
  if (on_line_) on_line_(line, continues);
  line_.clear();
}

}  // namespace weir::tool
