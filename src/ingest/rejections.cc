#include "ingest/rejections.h"

#include "base/text.h"
#include "base/utf8.h"

namespace weir::ingest {

std::string quoted(std::string_view text) {
  constexpr std::size_t kMaxQuoted = 64;
  const auto shown = utf8::cut(text, kMaxQuoted);
  return "'" + text::printable(shown) + (shown.size() < text.size() ? "…'" : "'");
}

}  // namespace weir::ingest
