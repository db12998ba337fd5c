#pragma once

#include <cstddef>
#include <utility>

#include "base/json.h"
#include "store/duckdb_api.h"

namespace weir::store {

/// Owns a type.
class LogicalType {
 public:
  explicit LogicalType(duckdb_logical_type type) : type_(type) {}
  LogicalType(LogicalType&& other) noexcept : type_(std::exchange(other.type_, nullptr)) {}
  LogicalType& operator=(LogicalType&& other) noexcept {
    std::swap(type_, other.type_);
    return *this;
  }
  ~LogicalType() {
    if (type_ != nullptr) duckdb().duckdb_destroy_logical_type(&type_);
  }
  [[nodiscard]] duckdb_logical_type get() const { return type_; }

 private:
  duckdb_logical_type type_;
};

/// The value in a row of a vector of that type; see Rows::next for what becomes what.
[[nodiscard]] json::Value read_value(duckdb_vector vector, duckdb_logical_type type,
                                     std::size_t row);

}  // namespace weir::store
