#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "log/store_directory.h"
#include "store/database.h"
#include "store/event_table.h"
#include "weir/report.h"

namespace weir::report {

/// A row of an answer, its values by the names of their columns; nulls and other types are nothing.
class Row {
 public:
  Row(const std::vector<std::string>& columns, const std::vector<json::Value>& values);

  [[nodiscard]] std::string text(std::string_view column) const;
  [[nodiscard]] std::uint64_t count(std::string_view column) const;  ///< 0: nothing, or below 0
  [[nodiscard]] std::optional<double> number(std::string_view column) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view column) const;
  [[nodiscard]] bool is_true(std::string_view column) const;
  [[nodiscard]] Timestamp moment(std::string_view column) const;  ///< of microseconds since 1970
  [[nodiscard]] std::vector<std::string> texts(std::string_view column) const;
  /// From the columns durations, average_ms, min_ms, median_ms, p95_ms and max_ms.
  [[nodiscard]] Spread spread() const;

 private:
  [[nodiscard]] const json::Value* find(std::string_view column) const;
  json::Object values_;
};

/// The queries of sql/report over the store as it is when this is made. What they are told is in
/// variables of the session.
///
/// Memory   A gigabyte; more goes to a temporary folder, which this owns.
/// Threads  One at a time.
class Queries {
 public:
  /// What they cannot read is added to `bad`. Errors: as store::open_views.
  [[nodiscard]] static Result<Queries> open(const log::StoreDirectory& store,
                                            std::shared_ptr<store::BadPlaces> bad);
  Queries(Queries&&) noexcept;
  ~Queries();

  [[nodiscard]] Result<void> set(std::string_view variable, std::string_view value);
  /// The same if there is something.
  [[nodiscard]] Result<void> set_some(std::string_view variable, std::string_view value);
  /// The query of that name, by itself.
  [[nodiscard]] Result<std::vector<Row>> ask(std::string_view name);

 private:
  struct State;
  explicit Queries(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "[a, b]", as a variable holds a list: for ids and numbers.
[[nodiscard]] std::string list_text(const std::vector<std::string>& values);

}  // namespace weir::report
