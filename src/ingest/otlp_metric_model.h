#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/otlp_model.h"

/// What metrics say, as otlp_model.h has what spans and logs say.
namespace weir::ingest::otlp {

enum class MetricKind : std::uint8_t {
  kNone,
  kGauge,
  kSum,
  kHistogram,
  kExponentialHistogram,
  kSummary
};

/// What the points of a metric have in common.
struct Metric {
  std::string_view name, description, unit;
  MetricKind kind = MetricKind::kNone;
  std::uint32_t temporality = 0;
  bool is_monotonic = false;
  JsonText metadata;  ///< members, without the braces around them
  KnownValues known;  ///< of the metadata
  Problem problem;

  void clear();
};

struct Buckets {
  std::int32_t offset = 0;
  bool present = false;
  JsonText counts;  ///< numbers, without the brackets of their list

  void clear() {
    offset = 0;
    present = false;
    counts.clear();
  }
};

struct Exemplar {
  Nanoseconds time;
  Scalar value;
  Id trace_id, span_id;
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;

  void clear();
};

/// A data point of any kind.
struct Point {
  Nanoseconds start, time;
  std::uint32_t flags = 0;
  Scalar value;             // gauge, sum
  std::uint64_t count = 0;  // the others
  std::optional<double> sum, min, max;
  JsonText bucket_counts, explicit_bounds;  // histogram: numbers
  std::int32_t scale = 0;                   // exponential histogram
  std::uint64_t zero_count = 0;
  double zero_threshold = 0;
  Buckets positive, negative;
  JsonText quantiles;   // summary: objects
  JsonText exemplars;   ///< objects
  JsonText attributes;  ///< members, without the braces around them
  KnownValues known;
  Problem problem;

  void clear();
  void add(const Exemplar& exemplar);
  void add_quantile(double quantile, double value);
};

}  // namespace weir::ingest::otlp
