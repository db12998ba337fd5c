#pragma once

#include "base/result.h"
#include "store/database.h"

namespace weir::store {

/// Lets queries make and read distributions (docs/formats/rollups.md), each a MAP(INTEGER, BIGINT):
///
///   weir_histogram(x DOUBLE)   an aggregate: how the values are distributed; null of none
///   weir_merge(h)              an aggregate: the sum of distributions; null of none
///   weir_quantile(h, q)        the quantile, 0.95 for the 95th percentile; null of none
///
/// Errors: kInvalidInput (they are there already).
[[nodiscard]] Result<void> add_histogram_functions(Connection& connection);

}  // namespace weir::store
