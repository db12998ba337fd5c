#include "store/histogram_functions.h"

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "store/connection_impl.h"
#include "store/histogram.h"
#include "store/value_reader.h"

namespace weir::store {
namespace {

void set_null(duckdb_vector vector, idx_t row) {
  duckdb().duckdb_vector_ensure_validity_writable(vector);
  duckdb().duckdb_validity_set_row_invalid(duckdb().duckdb_vector_get_validity(vector), row);
}

/// The keys and the counts of a vector of distributions, one after the other.
struct Entries {
  explicit Entries(duckdb_vector vector) : Entries(child_of(vector, 0), child_of(vector, 1)) {}
  [[nodiscard]] Histogram::Bucket at(idx_t row) const {
    return {.index = indexes[row], .count = is_valid(validity, row) ? counts[row] : 0};
  }
  std::int32_t* indexes;
  std::int64_t* counts;
  const std::uint64_t* validity;  // of the counts

 private:
  // Once, and not for each of them: there are many.
  Entries(duckdb_vector index, duckdb_vector count)
      : indexes(static_cast<std::int32_t*>(duckdb().duckdb_vector_get_data(index))),
        counts(static_cast<std::int64_t*>(duckdb().duckdb_vector_get_data(count))),
        validity(duckdb().duckdb_vector_get_validity(count)) {}
  static duckdb_vector child_of(duckdb_vector vector, idx_t member) {
    auto* entries = duckdb().duckdb_list_vector_get_child(vector);
    return duckdb().duckdb_struct_vector_get_child(entries, member);
  }
};

// ---- the aggregates: a state is a histogram, made with its first value -------------------------

struct State {
  Histogram* histogram;
  [[nodiscard]] Histogram& made() {
    if (histogram == nullptr) histogram = std::make_unique<Histogram>().release();
    return *histogram;
  }
};

State& state_of(duckdb_aggregate_state state) { return *reinterpret_cast<State*>(state); }

idx_t size_of_state(duckdb_function_info) { return sizeof(State); }

void begin(duckdb_function_info, duckdb_aggregate_state state) { new (state) State{nullptr}; }

void destroy_states(duckdb_aggregate_state* states, idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    const std::unique_ptr<Histogram> owned(state_of(states[i]).histogram);
    state_of(states[i]).histogram = nullptr;
  }
}

void add_values(duckdb_function_info, duckdb_data_chunk input, duckdb_aggregate_state* states) {
  const auto rows = duckdb().duckdb_data_chunk_get_size(input);
  auto* values = duckdb().duckdb_data_chunk_get_vector(input, 0);
  for (idx_t row = 0; row < rows; ++row) {
    if (is_valid(values, row)) state_of(states[row]).made().add(element<double>(values, row));
  }
}

void add_histograms(duckdb_function_info, duckdb_data_chunk input, duckdb_aggregate_state* states) {
  const auto rows = duckdb().duckdb_data_chunk_get_size(input);
  auto* values = duckdb().duckdb_data_chunk_get_vector(input, 0);
  const Entries entries(values);
  for (idx_t row = 0; row < rows; ++row) {
    if (!is_valid(values, row)) continue;
    const auto list = element<duckdb_list_entry>(values, row);
    auto& histogram = state_of(states[row]).made();
    for (idx_t i = 0; i < list.length; ++i) histogram.add(entries.at(list.offset + i));
  }
}

void combine(duckdb_function_info, duckdb_aggregate_state* source, duckdb_aggregate_state* target,
             idx_t count) {
  for (idx_t i = 0; i < count; ++i) {
    const auto& from = state_of(source[i]);
    if (from.histogram != nullptr) state_of(target[i]).made().add(*from.histogram);
  }
}

void finish(duckdb_function_info, duckdb_aggregate_state* source, duckdb_vector result, idx_t count,
            idx_t offset) {
  const auto& api = duckdb();
  auto size = api.duckdb_list_vector_get_size(result);
  for (idx_t i = 0; i < count; ++i) {
    auto* histogram = state_of(source[i]).histogram;
    if (histogram == nullptr) {
      set_null(result, offset + i);
      continue;
    }
    const auto buckets = histogram->buckets();
    auto* lists = static_cast<duckdb_list_entry*>(api.duckdb_vector_get_data(result));
    lists[offset + i] = {.offset = size, .length = buckets.size()};
    api.duckdb_list_vector_reserve(result, size + buckets.size());
    const Entries entries(result);  // reserving moves them
    for (const auto& bucket : buckets) {
      entries.indexes[size] = bucket.index;
      entries.counts[size++] = bucket.count;
    }
    api.duckdb_list_vector_set_size(result, size);
  }
}

// ---- the quantile -------------------------------------------------------------------------------

/// A distribution as weir_merge gives it has its buckets in order; a MAP of somebody else may have
/// them in any.
void read_sorted(const Entries& entries, const duckdb_list_entry& list,
                 std::vector<Histogram::Bucket>& buckets) {
  buckets.clear();
  bool is_sorted = true;
  for (idx_t i = 0; i < list.length; ++i) {
    const auto bucket = entries.at(list.offset + i);
    if (bucket.count < 1) continue;
    is_sorted = is_sorted && (buckets.empty() || buckets.back().index < bucket.index);
    buckets.push_back(bucket);
  }
  if (is_sorted) return;
  Histogram histogram;
  for (const auto& bucket : buckets) histogram.add(bucket);
  const auto sorted = histogram.buckets();
  buckets.assign(sorted.begin(), sorted.end());
}

void quantiles(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
  const auto rows = duckdb().duckdb_data_chunk_get_size(input);
  auto* histograms = duckdb().duckdb_data_chunk_get_vector(input, 0);
  auto* shares = duckdb().duckdb_data_chunk_get_vector(input, 1);
  const Entries entries(histograms);
  auto* values = static_cast<double*>(duckdb().duckdb_vector_get_data(output));
  std::vector<Histogram::Bucket> buckets;
  for (idx_t row = 0; row < rows; ++row) {
    std::optional<double> value;
    if (is_valid(histograms, row) && is_valid(shares, row)) {
      read_sorted(entries, element<duckdb_list_entry>(histograms, row), buckets);
      value = quantile(buckets, element<double>(shares, row));
    }
    value ? static_cast<void>(values[row] = *value) : set_null(output, row);
  }
}

// ---- their registration -------------------------------------------------------------------------

LogicalType simple_type(duckdb_type id) {
  return LogicalType(duckdb().duckdb_create_logical_type(id));
}

LogicalType histogram_type() {
  return LogicalType(duckdb().duckdb_create_map_type(simple_type(DUCKDB_TYPE_INTEGER).get(),
                                                     simple_type(DUCKDB_TYPE_BIGINT).get()));
}

Result<void> registered(duckdb_state state, const char* name) {
  if (state == DuckDBSuccess) return {};
  return fail(ErrorCode::kInvalidInput, std::string(name) + " is registered already");
}

Result<void> add_aggregate(Connection& connection, const char* name, const LogicalType& parameter,
                           duckdb_aggregate_update_t update) {
  const auto& api = duckdb();
  auto* function = api.duckdb_create_aggregate_function();
  api.duckdb_aggregate_function_set_name(function, name);
  api.duckdb_aggregate_function_add_parameter(function, parameter.get());
  api.duckdb_aggregate_function_set_return_type(function, histogram_type().get());
  api.duckdb_aggregate_function_set_functions(function, &size_of_state, &begin, update, &combine,
                                              &finish);
  api.duckdb_aggregate_function_set_destructor(function, &destroy_states);
  const auto state = api.duckdb_register_aggregate_function(connection.impl().connection, function);
  api.duckdb_destroy_aggregate_function(&function);
  return registered(state, name);
}

Result<void> add_quantile(Connection& connection) {
  const auto& api = duckdb();
  constexpr const char* kName = "weir_quantile";
  auto* function = api.duckdb_create_scalar_function();
  api.duckdb_scalar_function_set_name(function, kName);
  api.duckdb_scalar_function_add_parameter(function, histogram_type().get());
  api.duckdb_scalar_function_add_parameter(function, simple_type(DUCKDB_TYPE_DOUBLE).get());
  api.duckdb_scalar_function_set_return_type(function, simple_type(DUCKDB_TYPE_DOUBLE).get());
  api.duckdb_scalar_function_set_function(function, &quantiles);
  const auto state = api.duckdb_register_scalar_function(connection.impl().connection, function);
  api.duckdb_destroy_scalar_function(&function);
  return registered(state, kName);
}

}  // namespace

Result<void> add_histogram_functions(Connection& connection) {
  WEIR_TRY(
      add_aggregate(connection, "weir_histogram", simple_type(DUCKDB_TYPE_DOUBLE), &add_values));
  WEIR_TRY(add_aggregate(connection, "weir_merge", histogram_type(), &add_histograms));
  return add_quantile(connection);
}

}  // namespace weir::store
