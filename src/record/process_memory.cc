#include "record/process_memory.h"

#include <unistd.h>

#include <charconv>
#include <string_view>

#include "base/file.h"

namespace weir::record {

std::optional<std::int64_t> resident_bytes() {
  const auto file = File::open_to_read("/proc/self/statm");
  if (!file) return {};
  char buffer[128];
  const auto size = file->read_at(0, buffer, sizeof buffer);
  if (!size) return {};
  // "TOTAL RESIDENT SHARED …", in pages.
  const std::string_view text(buffer, *size);
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return {};
  std::int64_t pages = 0;
  const auto* end = text.data() + text.size();
  if (std::from_chars(text.data() + space + 1, end, pages).ec != std::errc()) return {};
  return pages * std::int64_t{sysconf(_SC_PAGESIZE)};
}

}  // namespace weir::record
