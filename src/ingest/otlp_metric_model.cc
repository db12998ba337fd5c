#include "ingest/otlp_metric_model.h"

namespace weir::ingest::otlp {

void Metric::clear() {
  name = description = unit = {};
  kind = MetricKind::kNone;
  temporality = 0;
  is_monotonic = false;
  metadata.clear();
  known.clear();
  problem.clear();
}

void Point::clear() {
  start = time = {};
  flags = 0;
  value = {};
  count = zero_count = 0;
  sum.reset();
  min.reset();
  max.reset();
  scale = 0;
  zero_threshold = 0;
  positive.clear();
  negative.clear();
  for (auto* text : {&bucket_counts, &explicit_bounds, &quantiles, &exemplars, &attributes}) {
    text->clear();
  }
  known.clear();
  problem.clear();
}

void Exemplar::clear() {
  time = {};
  value = {};
  trace_id.clear();
  span_id.clear();
  attributes.clear();
  known.clear();
}

void Point::add(const Exemplar& exemplar) {
  exemplars.open('{');
  put_nanoseconds(exemplars, "time_unix_nano", exemplar.time);
  if (exemplar.value.kind != Scalar::Kind::kNone) {
    exemplars.member("value");
    put_scalar(exemplars, exemplar.value);
  }
  put_id(exemplars, "trace_id", exemplar.trace_id);
  put_id(exemplars, "span_id", exemplar.span_id);
  put_object(exemplars, "filtered_attributes", exemplar.attributes);
  exemplars.close('}');
}

void Point::add_quantile(double quantile, double its_value) {
  quantiles.open('{');
  quantiles.member("quantile");
  quantiles.number(quantile);
  quantiles.member("value");
  quantiles.number(its_value);
  quantiles.close('}');
}

}  // namespace weir::ingest::otlp
