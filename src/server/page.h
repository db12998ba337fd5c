#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "server/message.h"
#include "server/question_desk.h"

namespace weir::server {

/// The place of an item in a list: what the list is sorted by.
using Cursor = std::vector<std::string>;

/// As clients carry it: URL-safe, and nothing that they may rely on.
[[nodiscard]] std::string to_text(const Cursor& cursor);
/// Errors: kInvalidInput.
[[nodiscard]] Result<Cursor> parse_cursor(std::string_view text);

/// Which items of a list are asked for.
struct Page {
  static constexpr std::uint64_t kUsual = 100;
  static constexpr std::uint64_t kMost = 1000;

  std::uint64_t limit = kUsual;
  Cursor after{};  ///< empty: from the beginning
};
/// Of the parameters `limit` and `cursor`. Errors: kInvalidInput.
[[nodiscard]] Result<Page> page_of_request(const Request& request);

/// What a list is sorted by: an expression over its rows that is never NULL, and that no event that
/// is still to come changes.
struct KeyColumn {
  std::string_view sql;
  enum class Type : std::uint8_t { kText, kNumber };
  Type type = Type::kText;
};
using SortKey = std::span<const KeyColumn>;

/// Each place of the cursor as SQL has it; none where it is empty. Errors: kInvalidInput: it is of
/// another list.
[[nodiscard]] Result<std::vector<std::string>> literals_of(SortKey key, const Cursor& cursor);

/// "a AS weir_key0, b AS weir_key1": what `list_answer` finds the next page by.
[[nodiscard]] std::string key_columns_sql(SortKey key);
/// "(a, b)"
[[nodiscard]] std::string key_sql(SortKey key);

/// The answer of a list, whose rows are at most one more than the page has.
[[nodiscard]] Response list_answer(const Table& table, SortKey key, const Page& page,
                                   const std::function<void(json::Object&)>& change = {});

}  // namespace weir::server
