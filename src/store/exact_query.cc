#include "store/exact_query.h"

#include <vector>

#include "base/text.h"
#include "store/sql_text.h"

namespace weir::store {
namespace {

struct Replacement {
  std::string_view type;
  std::string_view by;  // empty: there is none
};

constexpr Replacement kReplacements[] = {
    {.type = "HUGEINT", .by = "DECIMAL(38, 0)"},
    {.type = "UHUGEINT", .by = "DECIMAL(38, 0)"},
    {.type = "TIME WITH TIME ZONE", .by = "VARCHAR"},
    {.type = "INTERVAL", .by = "VARCHAR"},  // Parquet has milliseconds, and no negative ones
    // Written as they are, their infinities could not be read again.
    {.type = "TIMESTAMP_S", .by = "TIMESTAMP"},
    {.type = "TIMESTAMP_MS", .by = "TIMESTAMP"},
    {.type = "UNION", .by = ""},
    {.type = "VARIANT", .by = ""},
};

/// The replacement of the type that `text` begins with. A struct's field may be called like a type,
/// but a space follows a name, and never a type.
const Replacement* replacement_at(std::string_view text) {
  for (const auto& replacement : kReplacements) {
    if (!text.starts_with(replacement.type)) continue;
    const auto after = text.substr(replacement.type.size(), 1);
    if (after.empty() || std::string_view(",)([").contains(after[0])) return &replacement;
  }
  return nullptr;
}

bool is_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// The length of what `text` begins with: a quoted name or value, a word, or one character.
std::size_t token_size(std::string_view text) {
  if (text[0] == '"' || text[0] == '\'') {
    // A quote within is doubled, so it seems to end one text and to begin another.
    const auto end = text.find(text[0], 1);
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  std::size_t size = 0;
  while (size < text.size() && is_word(text[size])) ++size;
  return size == 0 ? 1 : size;
}

/// The query becomes part of a larger one.
std::string part_of_larger(std::string_view query) {
  return std::string(without_end(query)) + "\n";
}

/// The column `value` as a `type`; that the value stays is seen by going back.
std::string converted(const std::string& value, const QueryColumn& column,
                      const std::string& type) {
  constexpr std::string_view kShownCharacters = "100";
  std::string sql = "CASE WHEN CAST(TRY_CAST(";
  sql.append(value).append(" AS ").append(type).append(") AS ").append(column.type);
  sql.append(") IS DISTINCT FROM ").append(value).append(" THEN error(");
  sql.append(sql_string("column '" + column.name + "': Parquet cannot hold "));
  sql.append(" || left(CAST(").append(value).append(" AS VARCHAR), ").append(kShownCharacters);
  sql.append(") || ").append(sql_string(", it is no " + type));
  sql.append(") ELSE TRY_CAST(").append(value).append(" AS ").append(type).append(") END");
  return sql;
}

/// Some types cannot be said in SQL: structs whose fields have no names.
Result<void> check_type(const std::string& type, Connection& connection) {
  if (connection.describe("SELECT CAST(NULL AS " + type + ")")) return {};
  return fail(ErrorCode::kInvalidInput,
              "Parquet cannot hold a " + type + ": give its fields names, or CAST it to VARCHAR");
}

}  // namespace

Result<std::string> parquet_type(std::string_view type) {
  std::string result;
  for (std::size_t at = 0; at < type.size();) {
    const auto rest = type.substr(at);
    const auto* replacement = replacement_at(rest);
    if (replacement != nullptr && replacement->by.empty()) {
      return fail(
          ErrorCode::kInvalidInput,
          "Parquet cannot hold a " + std::string(replacement->type) + ": CAST it to VARCHAR");
    }
    const auto size = replacement != nullptr ? replacement->type.size() : token_size(rest);
    result += replacement != nullptr ? replacement->by : rest.substr(0, size);
    at += size;
  }
  return result;
}

Result<std::string> exact_query(const std::string& query, Connection& connection) {
  WEIR_TRY(const auto columns, connection.describe(query));
  const auto within = [](const QueryColumn& column) { return "column '" + column.name + "'"; };
  std::vector<std::string> names, values;
  bool is_exact = true;
  for (const auto& column : columns) {
    auto type = parquet_type(column.type);
    if (!type) return std::unexpected(std::move(type).error().within(within(column)));
    // Columns may have equal names: here each has its own.
    names.push_back("c" + std::to_string(names.size()));
    auto value = names.back();
    if (*type != column.type) {
      is_exact = false;
      auto checked = check_type(*type, connection);
      if (!checked) return std::unexpected(std::move(checked).error().within(within(column)));
      value = converted(names.back(), column, *type);
    }
    values.push_back(value + " AS " + sql_name(column.name));
  }
  if (is_exact) return part_of_larger(query);
  return "SELECT " + text::join(values) + " FROM (" + part_of_larger(query) + ") AS q(" +
         text::join(names) + ")";
}

}  // namespace weir::store
