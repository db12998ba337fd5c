#include "server/page.h"

#include <algorithm>
#include <charconv>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "store/database.h"

namespace weir::server {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kMaxCursor = 4096;
constexpr std::string_view kKeyPrefix = "weir_key";

std::unexpected<Error> wrong_cursor() {
  return fail(ErrorCode::kInvalidInput, "cursor: `next` of an earlier page is expected");
}

}  // namespace

std::string to_text(const Cursor& cursor) {
  json::Array places;
  for (const auto& place : cursor) places.emplace_back(place);
  const auto text = json::to_text(places);
  return to_hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

Result<Cursor> parse_cursor(std::string_view text) {
  const auto wrong = wrong_cursor();
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
    if (page.after.empty()) return wrong_cursor();
  }
  return page;
}

Result<std::vector<std::string>> literals_of(SortKey key, const Cursor& cursor) {
  if (cursor.empty()) return std::vector<std::string>();
  if (cursor.size() != key.size()) return wrong_cursor();
  std::vector<std::string> literals;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& place = cursor[i];
    if (key[i].type == KeyColumn::Type::kText) {
      literals.push_back(store::sql_string(place));
      continue;
    }
    std::int64_t number = 0;
    const auto* const end = place.data() + place.size();
    const auto parsed = std::from_chars(place.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) return wrong_cursor();
    literals.push_back(std::to_string(number) + "::BIGINT");
  }
  return literals;
}

std::string key_columns_sql(SortKey key) {
  std::vector<std::string> columns;
  for (const auto& column : key) {
    columns.push_back(std::string(column.sql) + " AS " + std::string(kKeyPrefix) +
                      std::to_string(columns.size()));
  }
  return text::join(columns);
}

std::string key_sql(SortKey key) {
  std::vector<std::string> columns;
  for (const auto& column : key) columns.emplace_back(column.sql);
  return "(" + text::join(columns) + ")";
}

Response list_answer(const Table& table, SortKey key, const Page& page,
                     const std::function<void(json::Object&)>& change) {
  json::Array items;
  Cursor place(key.size());
  for (const auto& row : table.rows) {
    if (items.size() == page.limit) break;
    json::Object item;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto& column = table.columns[i];
      if (column.starts_with(kKeyPrefix)) {
        const auto number = static_cast<std::size_t>(column.back() - '0');
        place[number] = row[i].string() != nullptr ? *row[i].string() : json::to_text(row[i]);
      } else if (!row[i].is_null()) {
        item.set(column, row[i]);
      }
    }
    if (change) change(item);
    items.emplace_back(std::move(item));
  }
  json::Object answer;
  // A page of large events ends early.
  const bool has_more = table.rows.size() > page.limit || !table.is_all;
  answer.set("next", has_more ? json::Value(to_text(place)) : json::Value());
  answer.set("items", std::move(items));
  if (!table.left_out.empty()) {
    answer.set("left_out", json::Array(table.left_out.begin(), table.left_out.end()));
  }
  return Response::json(json::to_text(answer) + "\n");
}

}  // namespace weir::server
