#include <utility>

#include "ingest/otlp_json.h"

namespace weir::ingest::otlp {
namespace {

constexpr std::string_view kTemporalities[] = {"UNSPECIFIED", "DELTA", "CUMULATIVE"};

constexpr std::pair<std::string_view, MetricKind> kMetricKinds[] = {
    {"gauge", MetricKind::kGauge},
    {"sum", MetricKind::kSum},
    {"histogram", MetricKind::kHistogram},
    {"exponentialHistogram", MetricKind::kExponentialHistogram},
    {"summary", MetricKind::kSummary}};

/// Reads metrics and points one after the other into one and the same memory.
class JsonMetricReader {
 public:
  JsonMetricReader(JsonFields& fields, Mapper& mapper) : fields_(fields), mapper_(mapper) {}

  /// Gives the mapper every point of the metric that is next.
  void read();

 private:
  /// Return where what comes later begins, or null.
  const char* read_metric();
  const char* read_data();
  void read_point();
  void read_point_field(std::string_view key);
  bool read_number(std::string_view key);
  bool read_list(std::string_view key);
  void read_buckets(std::string_view key, Buckets& buckets);
  void read_quantile();
  void read_exemplar();
  void put_counts(std::string_view key, JsonText& out);

  JsonFields& fields_;
  Mapper& mapper_;
  Metric metric_;
  Point point_;
  Exemplar exemplar_;
};

void JsonMetricReader::read() {
  auto& reader = fields_.reader;
  const auto* const data = read_metric();
  if (data == nullptr || reader.failed()) return;
  const auto* const after = reader.position();
  reader.go_to(data);
  const auto* const points = read_data();
  if (points != nullptr) {
    reader.go_to(points);
    fields_.list("dataPoints", metric_.problem, [&] { read_point(); });
  }
  reader.go_to(after);
}

const char* JsonMetricReader::read_metric() {
  auto& reader = fields_.reader;
  auto& problem = metric_.problem;
  const char* data = nullptr;
  metric_.clear();
  fields_.object("a metric", problem, [&](std::string_view key) {
    if (key == "name") {
      metric_.name = fields_.text(key, problem);
    } else if (key == "description") {
      metric_.description = fields_.text(key, problem);
    } else if (key == "unit") {
      metric_.unit = fields_.text(key, problem);
    } else if (key == "metadata") {
      fields_.attributes(metric_.metadata, metric_.known, problem);
    } else if (const auto* const kind = std::ranges::find(
                   kMetricKinds, key, &std::pair<std::string_view, MetricKind>::first);
               kind != std::end(kMetricKinds) && reader.peek() == json::Kind::kObject) {
      metric_.kind = kind->second;
      data = reader.defer().data();
    } else {
      reader.skip();
    }
  });
  return data;
}

const char* JsonMetricReader::read_data() {
  auto& reader = fields_.reader;
  auto& problem = metric_.problem;
  const char* points = nullptr;
  reader.begin_object();
  for (std::string_view key; reader.next_member(key);) {
    if (key == "dataPoints") {
      points = reader.defer().data();
    } else if (key == "aggregationTemporality") {
      metric_.temporality =
          fields_.choice(key, "AGGREGATION_TEMPORALITY_", kTemporalities, problem);
    } else if (key == "isMonotonic") {
      metric_.is_monotonic = fields_.boolean(key, problem);
    } else {
      reader.skip();
    }
  }
  return points;
}

void JsonMetricReader::read_point() {
  point_.clear();
  fields_.object("a data point", point_.problem,
                 [&](std::string_view key) { read_point_field(key); });
  if (!fields_.reader.failed() && !mapper_.add(metric_, point_)) fields_.reader.fail(kTooMuch);
}

void JsonMetricReader::read_point_field(std::string_view key) {
  auto& problem = point_.problem;
  if (fields_.reader.peek() == json::Kind::kNull) return fields_.reader.null();
  if (key == "startTimeUnixNano") {
    point_.start = fields_.time(key, problem);
  } else if (key == "timeUnixNano") {
    point_.time = fields_.time(key, problem);
  } else if (key == "flags") {
    point_.flags = fields_.count32(key, problem);
  } else if (key == "attributes") {
    fields_.attributes(point_.attributes, point_.known, problem);
  } else if (!read_number(key) && !read_list(key)) {
    fields_.reader.skip();
  }
}

bool JsonMetricReader::read_number(std::string_view key) {
  auto& problem = point_.problem;
  if (key == "asDouble") {
    point_.value = {.kind = Scalar::Kind::kNumber, .number = fields_.number(key, problem)};
  } else if (key == "asInt") {
    point_.value = fields_.integer(key, problem);
  } else if (key == "count") {
    point_.count = fields_.count(key, problem);
  } else if (key == "zeroCount") {
    point_.zero_count = fields_.count(key, problem);
  } else if (key == "scale") {
    point_.scale = fields_.integer32(key, problem);
  } else if (key == "sum") {
    point_.sum = fields_.number(key, problem);
  } else if (key == "min") {
    point_.min = fields_.number(key, problem);
  } else if (key == "max") {
    point_.max = fields_.number(key, problem);
  } else if (key == "zeroThreshold") {
    point_.zero_threshold = fields_.number(key, problem);
  } else {
    return false;
  }
  return true;
}

bool JsonMetricReader::read_list(std::string_view key) {
  auto& problem = point_.problem;
  if (key == "bucketCounts") {
    put_counts(key, point_.bucket_counts);
  } else if (key == "explicitBounds") {
    fields_.list(key, problem,
                 [&] { point_.explicit_bounds.number(fields_.number("explicitBounds", problem)); });
  } else if (key == "positive") {
    read_buckets(key, point_.positive);
  } else if (key == "negative") {
    read_buckets(key, point_.negative);
  } else if (key == "quantileValues") {
    fields_.list(key, problem, [&] { read_quantile(); });
  } else if (key == "exemplars") {
    fields_.list(key, problem, [&] { read_exemplar(); });
  } else {
    return false;
  }
  return true;
}

void JsonMetricReader::put_counts(std::string_view key, JsonText& out) {
  fields_.list(key, point_.problem, [&] { out.integer(fields_.count(key, point_.problem)); });
}

void JsonMetricReader::read_buckets(std::string_view key, Buckets& buckets) {
  buckets.present = fields_.object(key, point_.problem, [&](std::string_view member) {
    if (member == "offset") {
      buckets.offset = fields_.integer32(member, point_.problem);
    } else if (member == "bucketCounts") {
      put_counts(member, buckets.counts);
    } else {
      fields_.reader.skip();
    }
  });
}

void JsonMetricReader::read_quantile() {
  double quantile = 0, value = 0;
  fields_.object("a quantile", point_.problem, [&](std::string_view key) {
    if (key == "quantile") {
      quantile = fields_.number(key, point_.problem);
    } else if (key == "value") {
      value = fields_.number(key, point_.problem);
    } else {
      fields_.reader.skip();
    }
  });
  point_.add_quantile(quantile, value);
}

void JsonMetricReader::read_exemplar() {
  auto& problem = point_.problem;
  exemplar_.clear();
  fields_.object("an exemplar", problem, [&](std::string_view key) {
    if (key == "timeUnixNano") {
      exemplar_.time = fields_.time(key, problem);
    } else if (key == "asDouble") {
      exemplar_.value = {.kind = Scalar::Kind::kNumber, .number = fields_.number(key, problem)};
    } else if (key == "asInt") {
      exemplar_.value = fields_.integer(key, problem);
    } else if (key == "traceId") {
      fields_.id(exemplar_.trace_id, Id::kTrace, key, problem);
    } else if (key == "spanId") {
      fields_.id(exemplar_.span_id, Id::kSpan, key, problem);
    } else if (key == "filteredAttributes") {
      fields_.attributes(exemplar_.attributes, exemplar_.known, problem);
    } else {
      fields_.reader.skip();
    }
  });
  point_.add(exemplar_);
}

}  // namespace

std::optional<Malformed> read_json_metrics(std::string_view body, Mapper& mapper) {
  JsonFields fields(body);
  JsonMetricReader reader(fields, mapper);
  return JsonRequest(fields, mapper, {"resourceMetrics", "scopeMetrics", "metrics"}).read([&] {
    reader.read();
  });
}

}  // namespace weir::ingest::otlp
