#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
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

/// The value in a row of a vector of T.
template <class T>
[[nodiscard]] T element(duckdb_vector vector, std::size_t row) {
  return static_cast<const T*>(duckdb().duckdb_vector_get_data(vector))[row];
}

/// Whether there is a value, not NULL: by a vector's mask, which it need not have.
[[nodiscard]] inline bool is_valid(const std::uint64_t* validity, std::size_t row) {
  constexpr std::size_t kBitsOfWord = 64;
  return validity == nullptr || ((validity[row / kBitsOfWord] >> (row % kBitsOfWord)) & 1U) != 0;
}
[[nodiscard]] bool is_valid(duckdb_vector vector, std::size_t row);

/// The text in a row of a vector of strings, as long as the vector is there.
[[nodiscard]] std::string_view text_element(duckdb_vector vector, std::size_t row);

/// Deeper types are refused: our JSON has a limit on depth (json::kMaxDepth), and objects around
/// the value that count.
inline constexpr int kMaxTypeDepth = 100;

/// Whether values of the type have a form in JSON: not those that DuckDB's C interface has no name
/// for (in 1.4: TIME_NS, VARIANT), alone or inside of others.
[[nodiscard]] bool is_readable(duckdb_logical_type type, int depth = 0);

/// The value in a row of a vector of that type, which is readable; see Rows::next for what becomes
/// what.
[[nodiscard]] json::Value read_value(duckdb_vector vector, duckdb_logical_type type,
                                     std::size_t row);

}  // namespace weir::store
