#include "ingest/foreign_event.h"

#include <algorithm>
#include <string>

#include "base/hash.h"

namespace weir::ingest {

RunId foreign_run_id(std::string_view source, std::string_view id) {
  const auto hash = sha256(std::string(source).append("\n").append(id));
  RunId run;
  std::ranges::copy_n(hash.bytes.begin(), run.bytes.size(), run.bytes.begin());
  run.bytes[6] = static_cast<std::uint8_t>((run.bytes[6] & 0x0F) | 0x80);
  run.bytes[8] = static_cast<std::uint8_t>((run.bytes[8] & 0x3F) | 0x80);
  return run;
}

}  // namespace weir::ingest
