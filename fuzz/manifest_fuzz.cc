// Manifests: what Manifest::parse takes is written as it was read, names no file outside of the
// folder of the parts, and the manifest after it is one too.

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "log/manifest.h"
#include "log/members.h"

namespace weir::log {
namespace {

bool is_below(const std::string& file) {
  const std::filesystem::path path(file);
  return path.is_relative() &&
         std::ranges::none_of(path, [](const auto& part) { return part == "." || part == ".."; });
}

/// Random bytes never hold a right checksum. So every second input gets one.
void check(std::string_view input) {
  if (input.empty()) return;
  std::string line(input.substr(1));
  if (input[0] % 2 != 0) line = with_checksum(std::move(line));
  const auto manifest = Manifest::parse(line);
  if (!manifest) return;
  WEIR_CHECK(manifest->text() == line);
  for (const auto& part : manifest->parts()) WEIR_CHECK(is_below(part.file));
  for (const auto& part : manifest->retired()) WEIR_CHECK(is_below(part.file));
  const auto next = manifest->with_parts({}, Timestamp());
  const auto read = Manifest::parse(next.text());
  WEIR_CHECK(read.has_value() && *read == next);
}

}  // namespace
}  // namespace weir::log

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::log::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
