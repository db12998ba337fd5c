#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/table.h"

namespace weir::cli {

enum class SqlFormat : std::uint8_t { kTable, kJson, kCsv, kParquet };

/// Prints an answer to standard output: as a table, JSON or CSV (RFC 4180). What would not fill
/// some kHeldBytes is printed when it is whole, so that until then nothing was said that a failure
/// makes wrong.
class AnswerWriter {
 public:
  static constexpr std::size_t kHeldBytes = std::size_t{64} << 20;

  explicit AnswerWriter(SqlFormat format) : format_(format) {}

  /// Begins, or begins again while nothing is out.
  void begin(const std::vector<std::string>& columns);
  void add(const std::vector<json::Value>& row);
  void end();

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Whether something was printed.
  [[nodiscard]] bool is_out() const { return is_out_; }

 private:
  void add_to_table(const std::vector<json::Value>& row);
  void add_json(const std::vector<json::Value>& row);
  void add_csv_cell(std::size_t column, const std::string& text);
  void print_held();

  const SqlFormat format_;
  std::vector<std::string> columns_;
  std::uint64_t rows_ = 0;
  std::optional<Table> table_;
  bool is_plan_ = false;  // of EXPLAIN: text of several lines
  std::string held_;
  bool is_out_ = false;
};

/// The cookbook, as a table.
void print_recipes();

}  // namespace weir::cli
