#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Text of SQL, as far as it can be told apart without its grammar: quotes, comments, words. What a
/// text means, only DuckDB says.
namespace weir::store {

struct SqlToken {
  enum class Kind : std::uint8_t {
    kBlank,   ///< spaces, or one comment
    kQuoted,  ///< '…', "…", $$…$$, $tag$…$tag$
    kWord,
    kSemicolon,
    kOther  ///< one character
  };
  Kind kind = Kind::kOther;
  std::string_view text;
  bool is_closed = true;  ///< false: the text ends within quotes or a comment
};

/// What a text that is not empty begins with.
[[nodiscard]] SqlToken next_token(std::string_view sql);

/// Where the first statement ends: after its semicolon. Nothing while there is none.
[[nodiscard]] std::optional<std::size_t> end_of_statement(std::string_view sql);

/// Without the spaces, comments and semicolons at its end.
[[nodiscard]] std::string_view without_end(std::string_view sql);

/// On one line and without comments; only quotes keep their line ends.
[[nodiscard]] std::string on_one_line(std::string_view sql);

/// An EXPLAIN, taken apart.
struct Explained {
  std::string options;     ///< `FORMAT json`, `ANALYZE, FORMAT text`: words and nothing else
  std::string_view query;  ///< all that stands behind the options

  /// To be run in the place of the text that it was: whatever else that was taken for, this is one
  /// list of options and `query`.
  [[nodiscard]] std::string text() const;
};

/// What a text that begins with EXPLAIN may mean, the most first, for DuckDB to say which it is:
/// what stands in parentheses may be options, or the query. Empty: it is no EXPLAIN.
[[nodiscard]] std::vector<Explained> explained(std::string_view sql);

/// Whether a text may call one of the functions that do what no question should, wherever in it
/// they are named: those that run a text which can be put together, and enable_logging, which makes
/// DuckDB write files, and end the process when it may not.
[[nodiscard]] bool may_call_forbidden(std::string_view sql);

}  // namespace weir::store
