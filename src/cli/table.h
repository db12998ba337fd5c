#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace weir::cli {

/// Text in aligned columns for people.
class Table {
 public:
  enum class Align { kLeft, kRight };
  explicit Table(std::vector<std::string> header)
      : header_(std::move(header)), align_(header_.size(), Align::kLeft) {}

  /// As many cells as the header has. Control characters are shown as spaces.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void align(std::size_t column, Align align) { align_[column] = align; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

  void print(std::FILE* stream) const;

 private:
  std::vector<std::string> header_;
  std::vector<Align> align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace weir::cli
