#include "server/page.h"

#include <algorithm>
#include <charconv>

#include "base/id.h"
#include "base/json.h"

namespace weir::server {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kMaxCursor = 4096;

}  // namespace

std::string to_text(const Cursor& cursor) {
  json::Array places;
  for (const auto& place : cursor) places.emplace_back(place);
  const auto text = json::to_text(places);
  return to_hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

Result<Cursor> parse_cursor(std::string_view text) {
  const auto wrong =
      fail(ErrorCode::kInvalidInput, "cursor: `next` of an earlier page is expected");
  if (text.size() % 2 != 0 || text.size() > kMaxCursor) return wrong;
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(2)) {
    const auto high = kHex.find(text[0]), low = kHex.find(text[1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return wrong;
    bytes += static_cast<char>(high << 4 | low);
  }
  const auto value = json::parse(bytes);
  if (!value || value->array() == nullptr) return wrong;
  Cursor cursor;
  for (const auto& place : *value->array()) {
    if (place.string() == nullptr) return wrong;
    cursor.push_back(*place.string());
  }
  return cursor;
}

Result<Page> page_of_request(const Request& request) {
  Page page;
  if (const auto* limit = request.parameter("limit")) {
    const auto* const end = limit->data() + limit->size();
    const auto parsed = std::from_chars(limit->data(), end, page.limit);
    if (parsed.ec != std::errc() || parsed.ptr != end || page.limit == 0 ||
        page.limit > Page::kMost) {
      return fail(ErrorCode::kInvalidInput,
                  "limit: a number from 1 to " + std::to_string(Page::kMost) + " is expected");
    }
  }
  if (const auto* cursor = request.parameter("cursor")) {
    WEIR_TRY(page.after, parse_cursor(*cursor));
    if (page.after.size() != 2) {
      return fail(ErrorCode::kInvalidInput, "cursor: `next` of an earlier page is expected");
    }
  }
  return page;
}

}  // namespace weir::server
