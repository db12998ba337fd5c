#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/message.h"

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

}  // namespace weir::server
