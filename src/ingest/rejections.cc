#include "ingest/rejections.h"

#include "base/text.h"
#include "base/utf8.h"

namespace weir::ingest {

std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxQuoted = 64;
  const auto shown = utf8::cut(text, kMaxQuoted);
  return "'" + text::printable(shown) + (shown.size() < text.size() ? "…'" : "'");
}

std::string not_ours_to_tell(const RunId& run) {
  return "run " + run.text() +
         " is one of Weir's own: the process that runs it says what happens in it";
}

}  // namespace weir::ingest
