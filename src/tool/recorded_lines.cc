#include "tool/recorded_lines.h"

#include <string>

namespace weir::tool {

void RecordedLines::add(std::string_view line, bool continues) {
  if (full_) return;
  recorded_ += line.size() + kLineCost;
  full_ = recorded_ > stream_.max_bytes;
  if (!full_) return call_.log({.message = line, .logger = stream_.logger, .continues = continues});
  const auto message = std::string(stream_.logger) +
                       ": from here on it is not recorded: the limit is " +
                       std::to_string(stream_.max_bytes) + " bytes";
  call_.log({.level = event::Level::kWarning, .message = message, .logger = stream_.told_by});
}

}  // namespace weir::tool
