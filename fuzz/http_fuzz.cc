// What comes with a request before anybody looks at it: its target, the cursor of a page, and the
// message of a status of gRPC. The first byte says which. What is read is written as it was read,
// and read again.

#include <algorithm>

#include "fuzz/input.h"
#include "server/message.h"
#include "server/page.h"

namespace weir::server {
namespace {

/// With every byte escaped that means something.
std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return;
  WEIR_CHECK(text.starts_with(target->path) && target->path.starts_with('/'));
  std::string again;
  for (const auto& segment : target->segments) {
    WEIR_CHECK(!segment.contains('\0') && segment.size() <= text.size());
    again += "/" + escaped(segment);
  }
  if (again.empty()) again = "/";
  for (std::size_t i = 0; i < target->query.size(); ++i) {
    const auto& [name, value] = target->query[i];
    again += (i == 0 ? "?" : "&") + escaped(name) + "=" + escaped(value);
  }
  const auto same = parse_target(again);
  WEIR_CHECK(same && same->segments == target->segments && same->query == target->query);
}

void check_cursor(std::string_view text) {
  const auto cursor = parse_cursor(text);
  if (!cursor) return WEIR_CHECK(cursor.error().code == ErrorCode::kInvalidInput);
  const auto again = parse_cursor(to_text(*cursor));
  WEIR_CHECK(again && *again == *cursor);
  constexpr KeyColumn kKey[] = {{"a", KeyColumn::Type::kNumber}, {"b"}};
  const auto literals = literals_of(kKey, *cursor);
  if (!literals || literals->empty()) return;
  // Whatever it says, it says a number and a quoted text.
  const auto& number = literals->front();
  const auto digits = number.substr(0, number.find("::"));
  WEIR_CHECK(digits.find_first_not_of("-0123456789") == std::string::npos);
  const auto inside = std::string_view(literals->back());
  WEIR_CHECK(inside.size() >= 2 && inside.front() == '\'' && inside.back() == '\'');
  WEIR_CHECK(std::ranges::count(inside, '\'') % 2 == 0);
}

void check_paths(std::string_view text) {
  const auto said = without_paths(text);
  WEIR_CHECK(said.size() <= text.size() && without_paths(said) == said);
}

void check(std::string_view bytes) {
  constexpr std::size_t kKinds = 3;
  fuzz::Input input(bytes);
  const auto kind = input.below(kKinds);
  const auto text = input.text(bytes.size());
  if (kind == 0) check_target(text);
  if (kind == 1) check_cursor(text);
  if (kind == 2) check_paths(text);
}

}  // namespace
}  // namespace weir::server

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::server::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
