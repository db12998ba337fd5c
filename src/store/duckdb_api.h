#pragma once

#include <duckdb.h>

#include "base/result.h"

namespace weir::store {

/// The functions of DuckDB that we call.
#define WEIR_DUCKDB_FUNCTIONS(X)                        \
  X(duckdb_aggregate_function_add_parameter)            \
  X(duckdb_aggregate_function_set_destructor)           \
  X(duckdb_aggregate_function_set_functions)            \
  X(duckdb_aggregate_function_set_name)                 \
  X(duckdb_aggregate_function_set_return_type)          \
  X(duckdb_array_type_array_size)                       \
  X(duckdb_array_type_child_type)                       \
  X(duckdb_array_vector_get_child)                      \
  X(duckdb_bind_add_result_column)                      \
  X(duckdb_bind_get_extra_info)                         \
  X(duckdb_bind_get_named_parameter)                    \
  X(duckdb_bind_set_bind_data)                          \
  X(duckdb_bind_set_error)                              \
  X(duckdb_close)                                       \
  X(duckdb_column_count)                                \
  X(duckdb_column_logical_type)                         \
  X(duckdb_column_name)                                 \
  X(duckdb_connect)                                     \
  X(duckdb_create_aggregate_function)                   \
  X(duckdb_create_bignum)                               \
  X(duckdb_create_bit)                                  \
  X(duckdb_create_config)                               \
  X(duckdb_create_date)                                 \
  X(duckdb_create_interval)                             \
  X(duckdb_create_list_type)                            \
  X(duckdb_create_logical_type)                         \
  X(duckdb_create_map_type)                             \
  X(duckdb_create_scalar_function)                      \
  X(duckdb_create_table_function)                       \
  X(duckdb_create_time_tz_value)                        \
  X(duckdb_create_timestamp)                            \
  X(duckdb_create_timestamp_ms)                         \
  X(duckdb_create_timestamp_ns)                         \
  X(duckdb_create_timestamp_s)                          \
  X(duckdb_create_timestamp_tz)                         \
  X(duckdb_data_chunk_get_size)                         \
  X(duckdb_data_chunk_get_vector)                       \
  X(duckdb_data_chunk_set_size)                         \
  X(duckdb_decimal_internal_type)                       \
  X(duckdb_decimal_scale)                               \
  X(duckdb_destroy_aggregate_function)                  \
  X(duckdb_destroy_config)                              \
  X(duckdb_destroy_data_chunk)                          \
  X(duckdb_destroy_extracted)                           \
  X(duckdb_destroy_logical_type)                        \
  X(duckdb_destroy_pending)                             \
  X(duckdb_destroy_prepare)                             \
  X(duckdb_destroy_result)                              \
  X(duckdb_destroy_scalar_function)                     \
  X(duckdb_destroy_table_function)                      \
  X(duckdb_destroy_value)                               \
  X(duckdb_disconnect)                                  \
  X(duckdb_enum_dictionary_value)                       \
  X(duckdb_enum_internal_type)                          \
  X(duckdb_execute_pending)                             \
  X(duckdb_extract_statements)                          \
  X(duckdb_extract_statements_error)                    \
  X(duckdb_fetch_chunk)                                 \
  X(duckdb_free)                                        \
  X(duckdb_from_date)                                   \
  X(duckdb_from_time)                                   \
  X(duckdb_from_timestamp)                              \
  X(duckdb_function_get_bind_data)                      \
  X(duckdb_function_get_local_init_data)                \
  X(duckdb_function_set_error)                          \
  X(duckdb_get_list_child)                              \
  X(duckdb_get_list_size)                               \
  X(duckdb_get_profiling_info)                          \
  X(duckdb_get_table_names)                             \
  X(duckdb_get_type_id)                                 \
  X(duckdb_get_varchar)                                 \
  X(duckdb_init_get_bind_data)                          \
  X(duckdb_init_get_column_count)                       \
  X(duckdb_init_get_column_index)                       \
  X(duckdb_init_set_error)                              \
  X(duckdb_init_set_init_data)                          \
  X(duckdb_init_set_max_threads)                        \
  X(duckdb_interrupt)                                   \
  X(duckdb_is_finite_date)                              \
  X(duckdb_is_finite_timestamp)                         \
  X(duckdb_is_null_value)                               \
  X(duckdb_library_version)                             \
  X(duckdb_list_type_child_type)                        \
  X(duckdb_list_vector_get_child)                       \
  X(duckdb_list_vector_get_size)                        \
  X(duckdb_list_vector_reserve)                         \
  X(duckdb_list_vector_set_size)                        \
  X(duckdb_logical_type_get_alias)                      \
  X(duckdb_logical_type_set_alias)                      \
  X(duckdb_open_ext)                                    \
  X(duckdb_pending_error)                               \
  X(duckdb_pending_prepared)                            \
  X(duckdb_pending_prepared_streaming)                  \
  X(duckdb_prepare_error)                               \
  X(duckdb_prepare_extracted_statement)                 \
  X(duckdb_prepared_statement_type)                     \
  X(duckdb_profiling_info_get_value)                    \
  X(duckdb_register_aggregate_function)                 \
  X(duckdb_register_scalar_function)                    \
  X(duckdb_register_table_function)                     \
  X(duckdb_result_error)                                \
  X(duckdb_scalar_function_add_parameter)               \
  X(duckdb_scalar_function_get_extra_info)              \
  X(duckdb_scalar_function_set_extra_info)              \
  X(duckdb_scalar_function_set_function)                \
  X(duckdb_scalar_function_set_name)                    \
  X(duckdb_scalar_function_set_return_type)             \
  X(duckdb_scalar_function_set_special_handling)        \
  X(duckdb_set_config)                                  \
  X(duckdb_struct_type_child_count)                     \
  X(duckdb_struct_type_child_name)                      \
  X(duckdb_struct_type_child_type)                      \
  X(duckdb_struct_vector_get_child)                     \
  X(duckdb_table_function_add_named_parameter)          \
  X(duckdb_table_function_set_bind)                     \
  X(duckdb_table_function_set_extra_info)               \
  X(duckdb_table_function_set_function)                 \
  X(duckdb_table_function_set_init)                     \
  X(duckdb_table_function_set_local_init)               \
  X(duckdb_table_function_set_name)                     \
  X(duckdb_table_function_supports_projection_pushdown) \
  X(duckdb_union_type_member_count)                     \
  X(duckdb_union_type_member_type)                      \
  X(duckdb_validity_set_row_invalid)                    \
  X(duckdb_vector_assign_string_element_len)            \
  X(duckdb_vector_ensure_validity_writable)             \
  X(duckdb_vector_get_data)                             \
  X(duckdb_vector_get_validity)                         \
  X(duckdb_vector_size)

struct DuckdbApi {
#define WEIR_DUCKDB_MEMBER(name) decltype(&::name) name = nullptr;
  WEIR_DUCKDB_FUNCTIONS(WEIR_DUCKDB_MEMBER)
#undef WEIR_DUCKDB_MEMBER
};

/// Loads libduckdb.so on the first call: it has 60 MB, and most commands need none of it. It is
/// looked for beside the program, then where the system keeps libraries. Errors: kUnavailable.
[[nodiscard]] Result<const DuckdbApi*> load_duckdb();

/// After a success of load_duckdb.
[[nodiscard]] const DuckdbApi& duckdb();

}  // namespace weir::store
