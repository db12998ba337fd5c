#include "store/sql_text.h"

#include <algorithm>
#include <cstring>

namespace weir::store {
namespace {

using Kind = SqlToken::Kind;

constexpr std::string_view kSpaces = " \t\r\n\f\v";

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         byte >= 0x80;
}

std::size_t word_size(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is_word_byte) - text.begin());
}

SqlToken up_to(Kind kind, std::string_view sql, std::size_t end) {
  const bool is_closed = end != std::string_view::npos;
  return {.kind = kind, .text = sql.substr(0, end), .is_closed = is_closed};
}

/// A quote within is doubled, so it seems to end one text and to begin another; `escapes`: or it
/// stands behind a backslash.
SqlToken quoted_token(std::string_view sql, std::size_t begin, bool escapes) {
  for (auto i = begin + 1; i < sql.size(); ++i) {
    if (escapes && sql[i] == '\\') {
      ++i;
    } else if (sql[i] == sql[begin]) {
      return up_to(Kind::kQuoted, sql, i + 1);
    }
  }
  return up_to(Kind::kQuoted, sql, std::string_view::npos);
}

/// Comments of this kind are nested.
SqlToken comment_token(std::string_view sql) {
  int depth = 0;
  for (std::size_t i = 0; i + 1 < sql.size(); ++i) {
    const auto two = sql.substr(i, 2);
    if (two != "/*" && two != "*/") continue;
    depth += two == "/*" ? 1 : -1;
    ++i;
    if (depth == 0) return up_to(Kind::kBlank, sql, i + 1);
  }
  return up_to(Kind::kBlank, sql, std::string_view::npos);
}

/// `$1` is a parameter, `$$` and `$tag$` begin a text.
SqlToken dollar_token(std::string_view sql) {
  const auto tag = word_size(sql.substr(1));
  const bool is_number = tag > 0 && sql[1] >= '0' && sql[1] <= '9';
  if (is_number || sql.substr(tag + 1, 1) != "$") return up_to(Kind::kOther, sql, 1);
  const auto mark = sql.substr(0, tag + 2);
  const auto end = sql.find(mark, mark.size());
  return up_to(Kind::kQuoted, sql, end == std::string_view::npos ? end : end + mark.size());
}

bool is_word(const SqlToken& token, const char* word) {
  return token.kind == Kind::kWord && token.text.size() == std::string_view(word).size() &&
         ::strncasecmp(token.text.data(), word, token.text.size()) == 0;
}

std::string_view without_blanks(std::string_view sql) {
  while (!sql.empty()) {
    const auto token = next_token(sql);
    if (token.kind != Kind::kBlank) break;
    sql.remove_prefix(token.text.size());
  }
  return sql;
}

/// DuckDB takes some spaces outside ASCII for blanks: none of their bytes is any other's.
std::string_view without_any_blanks(std::string_view sql) {
  while (true) {
    sql = without_blanks(sql);
    if (sql.empty() || static_cast<unsigned char>(sql.front()) < 0x80) return sql;
    sql.remove_prefix(1);
  }
}

/// Takes `word`, and the blanks before and behind it, from the text.
bool take_word(std::string_view& sql, const char* word) {
  const auto rest = without_blanks(sql);
  if (rest.empty() || !is_word(next_token(rest), word)) return false;
  sql = without_blanks(rest.substr(next_token(rest).text.size()));
  return true;
}

/// A name of letters alone, which says the same to whoever reads it.
bool is_plain(const SqlToken& token) {
  return token.kind == Kind::kWord && std::ranges::all_of(token.text, [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
         });
}

/// Takes `(NAME, NAME VALUE, …)` of plain words from the text, and the blanks behind it: what stood
/// in the parentheses, without comments.
std::optional<std::string> take_options(std::string_view& sql) {
  if (!sql.starts_with('(')) return {};
  std::string options;
  for (auto rest = sql.substr(1); !rest.empty();) {
    const auto token = next_token(rest);
    rest.remove_prefix(token.text.size());
    if (token.text == ")") {
      sql = without_blanks(rest);
      return options;
    }
    if (token.kind == Kind::kBlank) {
      options += ' ';
    } else if (is_plain(token) || token.text == ",") {
      options += token.text;
    } else {
      return {};
    }
  }
  return {};
}

}  // namespace

SqlToken next_token(std::string_view sql) {
  const char first = sql[0];
  if (kSpaces.contains(first)) {
    const auto end = sql.find_first_not_of(kSpaces);
    return {.kind = Kind::kBlank, .text = sql.substr(0, end)};
  }
  if (sql.starts_with("--")) {
    const auto end = sql.find('\n');
    return {.kind = Kind::kBlank,
            .text = sql.substr(0, end == std::string_view::npos ? end : end + 1)};
  }
  if (sql.starts_with("/*")) return comment_token(sql);
  if (first == ';') return up_to(Kind::kSemicolon, sql, 1);
  if (first == '\'' || first == '"') return quoted_token(sql, 0, false);
  if (first == '$') return dollar_token(sql);
  if ((first == 'e' || first == 'E') && sql.substr(1, 1) == "'") return quoted_token(sql, 1, true);
  const auto size = word_size(sql);
  return size > 0 ? up_to(Kind::kWord, sql, size) : up_to(Kind::kOther, sql, 1);
}

std::optional<std::size_t> end_of_statement(std::string_view sql) {
  std::size_t at = 0;
  while (at < sql.size()) {
    const auto token = next_token(sql.substr(at));
    at += token.text.size();
    if (token.kind == Kind::kSemicolon) return at;
  }
  return {};
}

std::string_view without_end(std::string_view sql) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < sql.size();) {
    const auto token = next_token(sql.substr(at));
    at += token.text.size();
    if (token.kind != Kind::kBlank && token.kind != Kind::kSemicolon) end = at;
  }
  return sql.substr(0, end);
}

std::string on_one_line(std::string_view sql) {
  std::string line;
  while (!sql.empty()) {
    const auto token = next_token(sql);
    sql.remove_prefix(token.text.size());
    if (token.kind != Kind::kBlank) {
      line += token.text;
    } else if (!line.empty() && !line.ends_with(' ')) {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string Explained::text() const { return "EXPLAIN (" + options + ") " + std::string(query); }

std::vector<Explained> explained(std::string_view sql) {
  if (!take_word(sql, "EXPLAIN")) return {};
  const bool is_analyze = take_word(sql, "ANALYZE");
  // Never without options: what follows in parentheses would be taken for them.
  std::vector<Explained> all = {
      {.options = is_analyze ? "ANALYZE, FORMAT text" : "FORMAT text", .query = sql}};
  if (is_analyze) return all;
  if (auto options = take_options(sql)) {
    all.push_back({.options = *std::move(options), .query = sql});
  }
  return all;
}

bool may_call_forbidden(std::string_view sql) {
  std::string text(sql);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  // U&"…" can spell any name. Not by tokens: what we take for quoted, DuckDB might not.
  for (const auto* name : {"enable_logging", "json_execute_serialized_sql", "u&\"", "u&'"}) {
    if (text.contains(name)) return true;
  }
  constexpr std::string_view kQuery = "query";
  for (auto at = text.find(kQuery); at != std::string::npos; at = text.find(kQuery, at + 1)) {
    auto rest = std::string_view(text).substr(at + kQuery.size());
    if (rest.starts_with('"')) rest.remove_prefix(1);
    if (without_any_blanks(rest).starts_with('(')) return true;
  }
  return false;
}

}  // namespace weir::store
