#include "ingest/otlp_mapper.h"

namespace weir::ingest::otlp {

using event::Field;

namespace {

std::string_view name_of_kind(MetricKind kind) {
  switch (kind) {
    case MetricKind::kNone:
      break;
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kSum:
      return "sum";
    case MetricKind::kHistogram:
      return "histogram";
    case MetricKind::kExponentialHistogram:
      return "exponential_histogram";
    case MetricKind::kSummary:
      return "summary";
  }
  return "unknown";
}

void put_metric(JsonText& json, const Metric& metric) {
  put_text(json, "name", metric.name);
  put_text(json, "kind", name_of_kind(metric.kind));
  put_text(json, "unit", metric.unit);
  put_text(json, "description", metric.description);
  if (metric.temporality == 1 || metric.temporality == 2) {
    put_text(json, "temporality", metric.temporality == 1 ? "delta" : "cumulative");
  } else {
    put_count(json, "temporality", metric.temporality);
  }
  if (metric.kind != MetricKind::kSum) return;
  json.member("monotonic");
  json.boolean(metric.is_monotonic);
}

template <class Integer>
void put_integer(JsonText& json, std::string_view name, Integer value) {
  json.member(name);
  json.integer(value);
}

void put_number(JsonText& json, std::string_view name, const std::optional<double>& value) {
  if (!value) return;
  json.member(name);
  json.number(*value);
}

void put_items(JsonText& json, std::string_view name, const JsonText& items) {
  if (items.empty()) return;
  json.member(name);
  json.open('[');
  json.raw(items.view());
  json.close(']');
}

void put_buckets(JsonText& json, std::string_view name, const Buckets& buckets) {
  if (!buckets.present) return;
  json.member(name);
  json.open('{');
  json.member("offset");
  json.integer(buckets.offset);
  put_items(json, "bucket_counts", buckets.counts);
  json.close('}');
}

void put_exponential(JsonText& json, const Point& point) {
  put_integer(json, "scale", point.scale);
  put_integer(json, "zero_count", point.zero_count);
  if (point.zero_threshold != 0) put_number(json, "zero_threshold", point.zero_threshold);
  put_buckets(json, "positive", point.positive);
  put_buckets(json, "negative", point.negative);
}

/// What is 0 in the protocol when it is not said is put; what is unknown then is not.
void put_distribution(JsonText& json, MetricKind kind, const Point& point) {
  put_integer(json, "count", point.count);
  put_number(json, "sum", kind == MetricKind::kSummary ? point.sum.value_or(0) : point.sum);
  put_number(json, "min", point.min);
  put_number(json, "max", point.max);
  put_items(json, "bucket_counts", point.bucket_counts);
  put_items(json, "explicit_bounds", point.explicit_bounds);
  if (kind == MetricKind::kExponentialHistogram) put_exponential(json, point);
  put_items(json, "quantile_values", point.quantiles);
}

void put_point(JsonText& json, MetricKind kind, const Point& point) {
  if (point.value.kind != Scalar::Kind::kNone) {
    json.member("value");
    put_scalar(json, point.value);
  }
  if (kind != MetricKind::kGauge && kind != MetricKind::kSum) put_distribution(json, kind, point);
  put_nanoseconds(json, "start_time_unix_nano", point.start);
  put_object(json, "attributes", point.attributes);
  put_items(json, "exemplars", point.exemplars);
}

}  // namespace

bool Mapper::add(const Metric& metric, const Point& point) {
  if (!begin_record(metric.problem.empty() ? point.problem : metric.problem)) return true;
  if (metric.name.empty()) {
    static_cast<void>(reject("name is missing"));
    return true;
  }
  const auto timestamp = time_of(point.time, point.start);
  fields_.clear();
  fields_.put(Field::kEnvironmentId, environment_of(point.known));
  fields_.put(Field::kComponent, scope_.name);
  fields_.put(Field::kSource, "otlp");
  put_attributes(metric, point);
  return lines_.add({.timestamp = timestamp,
                     .type = type_,
                     .level = event::Level::kInfo,
                     .pipeline_id = pipeline_of(point.known),
                     .pipeline_version = pipeline_version_,
                     .run_id = run_of_day(timestamp),
                     .key = {},
                     .fields = fields_.view(),
                     .shared = &shared()});
}

void Mapper::put_attributes(const Metric& metric, const Point& point) {
  attributes_.clear();
  attributes_.open('{');
  put_metric(attributes_, metric);
  put_point(attributes_, metric.kind, point);
  put_otlp(attributes_, {}, [&](JsonText& otlp) {
    put_rest_of_time(otlp, "time_unix_nano", point.time);
    put_count(otlp, "flags", point.flags);
    put_object(otlp, "metadata", metric.metadata);
  });
  attributes_.close('}');
  fields_.put(Field::kAttributes, event::ObjectText{attributes_.view()});
}

}  // namespace weir::ingest::otlp
