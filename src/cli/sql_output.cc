#include "cli/sql_output.h"

#include <cstdio>

#include "store/query.h"

namespace weir::cli {
namespace {

/// As DuckDB calls them.
const std::vector<std::string>& columns_of_plans() {
  static const std::vector<std::string> columns = {"explain_key", "explain_value"};
  return columns;
}

std::string cell_text(const json::Value& value) {
  if (value.is_null()) return "";
  return value.string() != nullptr ? *value.string() : json::to_text(value);
}

}  // namespace

void AnswerWriter::begin(const std::vector<std::string>& columns) {
  columns_ = columns;
  rows_ = 0;
  held_.clear();
  table_.reset();
  is_plan_ = format_ == SqlFormat::kTable && columns == columns_of_plans();
  if (format_ == SqlFormat::kTable && !is_plan_) table_.emplace(columns);
  if (format_ != SqlFormat::kCsv) return;
  for (std::size_t i = 0; i < columns.size(); ++i) add_csv_cell(i, columns[i]);
  held_ += '\n';
}

void AnswerWriter::add(const std::vector<json::Value>& row) {
  ++rows_;
  if (is_plan_) {
    held_ += cell_text(row.back());
    if (!held_.ends_with('\n')) held_ += '\n';
  } else if (format_ == SqlFormat::kJson) {
    add_json(row);
  } else if (format_ == SqlFormat::kCsv) {
    for (std::size_t i = 0; i < row.size(); ++i) add_csv_cell(i, cell_text(row[i]));
    held_ += '\n';
  } else {
    add_to_table(row);
  }
  if (held_.size() > kHeldBytes) print_held();
}

void AnswerWriter::end() {
  if (format_ == SqlFormat::kJson) held_ += rows_ == 0 ? "[]\n" : "\n]\n";
  print_held();
  if (table_) table_->print(stdout);
}

void AnswerWriter::add_to_table(const std::vector<json::Value>& row) {
  if (!table_) return;
  std::vector<std::string> cells;
  cells.reserve(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].kind() == "a number") table_->align(i, Table::Align::kRight);
    cells.push_back(cell_text(row[i]));
  }
  table_->add(std::move(cells));
}

void AnswerWriter::add_json(const std::vector<json::Value>& row) {
  json::Object object;
  for (std::size_t i = 0; i < row.size(); ++i) object.append({columns_[i], row[i]});
  held_ += rows_ == 1 ? "[\n  " : ",\n  ";
  held_ += json::to_text(object);
}

void AnswerWriter::add_csv_cell(std::size_t column, const std::string& text) {
  if (column > 0) held_ += ',';
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    held_ += text;
    return;
  }
  held_ += '"';
  for (const char c : text) held_.append(c == '"' ? 2 : 1, c);
  held_ += '"';
}

/// That it cannot be written is seen and said at the end of the program.
void AnswerWriter::print_held() {
  if (held_.empty()) return;
  is_out_ = true;
  std::fwrite(held_.data(), 1, held_.size(), stdout);
  held_.clear();
}

void print_recipes() {
  Table table({"NUMBER", "NAME", "QUESTION"});
  table.align(0, Table::Align::kRight);
  for (const auto& recipe : store::cookbook()) {
    table.add({recipe.number > 0 ? std::to_string(recipe.number) : "", std::string(recipe.name),
               std::string(recipe.question)});
  }
  table.print(stdout);
}

}  // namespace weir::cli
