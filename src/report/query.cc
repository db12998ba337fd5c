#include "report/query.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sql_report.h"
#include "store/query.h"

namespace weir::report {

struct Queries::State {
  store::Views views;
  store::Connection connection;
};

Row::Row(const std::vector<std::string>& columns, const std::vector<json::Value>& values) {
  for (std::size_t i = 0; i < columns.size(); ++i) values_.append({columns[i], values[i]});
}

const json::Value* Row::find(std::string_view column) const { return values_.find(column); }

std::string Row::text(std::string_view column) const {
  const auto* value = find(column);
  return value == nullptr || value->string() == nullptr ? std::string() : *value->string();
}

std::optional<double> Row::number(std::string_view column) const {
  const auto* value = find(column);
  if (value == nullptr) return {};
  if (const auto* number = std::get_if<double>(&value->variant())) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value->variant())) {
    return static_cast<double>(*number);
  }
  if (const auto* number = value->integer()) return static_cast<double>(*number);
  return {};
}

std::optional<std::int64_t> Row::integer(std::string_view column) const {
  const auto* value = find(column);
  if (value == nullptr || value->integer() == nullptr) return {};
  return *value->integer();
}

std::uint64_t Row::count(std::string_view column) const {
  constexpr double kMost = 18'446'744'073'709'549'568.0;  // the largest double in 64 bits
  const auto value = number(column).value_or(0);
  return static_cast<std::uint64_t>(std::clamp(value, 0.0, kMost));
}

bool Row::is_true(std::string_view column) const {
  const auto* value = find(column);
  return value != nullptr && value->boolean() != nullptr && *value->boolean();
}

Timestamp Row::moment(std::string_view column) const {
  return Timestamp(std::chrono::microseconds(integer(column).value_or(0)));
}

std::vector<std::string> Row::texts(std::string_view column) const {
  std::vector<std::string> all;
  const auto* value = find(column);
  if (value == nullptr || value->array() == nullptr) return all;
  for (const auto& one : *value->array()) {
    if (one.string() != nullptr) all.push_back(*one.string());
  }
  return all;
}

Spread Row::spread() const {
  return {.count = count("durations"),
          .average = number("average_ms").value_or(0),
          .min = number("min_ms").value_or(0),
          .median = number("median_ms").value_or(0),
          .p95 = number("p95_ms").value_or(0),
          .max = number("max_ms").value_or(0)};
}

Queries::Queries(std::unique_ptr<State> state) : state_(std::move(state)) {}
Queries::Queries(Queries&&) noexcept = default;
Queries::~Queries() = default;

Result<Queries> Queries::open(const log::StoreDirectory& store,
                              std::shared_ptr<store::BadPlaces> bad) {
  WEIR_TRY(auto views, store::open_views(store, std::move(bad), {}));
  WEIR_TRY(auto connection, views.database.connect());
  WEIR_TRY(connection.execute("SET preserve_insertion_order = false"));
  return Queries(std::make_unique<State>(State{std::move(views), std::move(connection)}));
}

Result<void> Queries::set(std::string_view variable, std::string_view value) {
  return store::set_variable(state_->connection, variable, value);
}

Result<void> Queries::set_some(std::string_view variable, std::string_view value) {
  if (value.empty()) return {};
  return set(variable, value);
}

Result<std::vector<Row>> Queries::ask(std::string_view name) {
  const auto* const file = std::ranges::find(queries::kFiles, name, &queries::File::name);
  WEIR_CHECK(file != std::end(queries::kFiles));
  auto rows = state_->connection.query(std::string(file->text));
  if (!rows)
    return std::unexpected(std::move(rows).error().within("the query " + std::string(name)));
  std::vector<Row> all;
  while (const auto* row = rows->next()) all.emplace_back(rows->columns(), *row);
  return all;
}

std::string list_text(const std::vector<std::string>& values) {
  return "[" + text::join(values) + "]";
}

}  // namespace weir::report
