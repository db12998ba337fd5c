#include "ingest/otlp_decoders.h"
#include "ingest/otlp_protobuf.h"

namespace weir::ingest::otlp {
namespace {

using protobuf::as_double;
using protobuf::bytes;
using protobuf::Failure;
using protobuf::fixed32;
using protobuf::fixed64;
using protobuf::PackedReader;
using protobuf::Reader;
using protobuf::varint;
using protobuf::WireType;

Scalar double_scalar(std::uint64_t bits) {
  return {.kind = Scalar::Kind::kNumber, .number = as_double(bits)};
}
Scalar integer_scalar(std::uint64_t bits) {
  return {.kind = Scalar::Kind::kInteger, .integer = static_cast<std::int64_t>(bits)};
}
std::int32_t small_zigzag(std::uint64_t value) {
  return static_cast<std::int32_t>(protobuf::zigzag(value));
}

enum class Numbers : std::uint8_t { kUnsigned, kDoubles };

/// Repeated numbers, packed as they should be.
void put_packed(std::string_view packed, WireType type, Numbers numbers, Failure& failure,
                JsonText& out) {
  PackedReader reader(packed, type, failure);
  for (std::uint64_t value = 0; reader.next(value);) {
    if (numbers == Numbers::kDoubles) {
      out.number(as_double(value));
    } else {
      out.integer(value);
    }
  }
}

void read_exemplar(std::string_view message, Failure& failure, Exemplar& exemplar,
                   Problem& problem) {
  exemplar.clear();
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case fixed64(2):
        exemplar.time.count = reader.number();
        break;
      case fixed64(3):
        exemplar.value = double_scalar(reader.number());
        break;
      case bytes(4):
        exemplar.span_id.set_bytes(reader.text(), Id::kSpan);
        break;
      case bytes(5):
        exemplar.trace_id.set_bytes(reader.text(), Id::kTrace);
        break;
      case fixed64(6):
        exemplar.value = integer_scalar(reader.number());
        break;
      case bytes(7):
        put_key_value(reader.text(), failure, exemplar.attributes, exemplar.known, problem);
        break;
      default:
        break;
    }
  }
}

void read_buckets(std::string_view message, Failure& failure, Buckets& buckets) {
  buckets.present = true;
  for (Reader reader(message, failure); reader.next();) {
    switch (reader.tag()) {
      case varint(1):
        buckets.offset = small_zigzag(reader.number());
        break;
      case varint(2):
        buckets.counts.integer(reader.number());
        break;
      case bytes(2):
        put_packed(reader.text(), WireType::kVarint, Numbers::kUnsigned, failure, buckets.counts);
        break;
      default:
        break;
    }
  }
}

void read_quantile(std::string_view message, Failure& failure, Point& point) {
  double quantile = 0, value = 0;
  for (Reader reader(message, failure); reader.next();) {
    if (reader.tag() == fixed64(1)) quantile = as_double(reader.number());
    if (reader.tag() == fixed64(2)) value = as_double(reader.number());
  }
  point.add_quantile(quantile, value);
}

/// Reads the points of a metric one after the other into one and the same memory. Those of the
/// different kinds number their fields differently.
class PointReader {
 public:
  explicit PointReader(Failure& failure) : failure_(failure) {}

  Point& read(std::string_view message, MetricKind kind);

 private:
  void read_number(const Reader& reader);
  void read_histogram(const Reader& reader);
  void read_exponential(const Reader& reader);
  void read_exponential_count(const Reader& reader);
  void read_summary(const Reader& reader);
  /// Of all kinds but the exponential histogram.
  void read_times(const Reader& reader);
  void read_attribute(const Reader& reader) {
    put_key_value(reader.text(), failure_, point_.attributes, point_.known, point_.problem);
  }
  void add_exemplar(const Reader& reader) {
    read_exemplar(reader.text(), failure_, exemplar_, point_.problem);
    point_.add(exemplar_);
  }

  Failure& failure_;
  Point point_;
  Exemplar exemplar_;
};

Point& PointReader::read(std::string_view message, MetricKind kind) {
  point_.clear();
  for (Reader reader(message, failure_); reader.next();) {
    switch (kind) {
      case MetricKind::kNone:
        break;
      case MetricKind::kGauge:
      case MetricKind::kSum:
        read_number(reader);
        break;
      case MetricKind::kHistogram:
        read_histogram(reader);
        break;
      case MetricKind::kExponentialHistogram:
        read_exponential(reader);
        break;
      case MetricKind::kSummary:
        read_summary(reader);
        break;
    }
  }
  return point_;
}

void PointReader::read_times(const Reader& reader) {
  if (reader.tag() == fixed64(2)) point_.start.count = reader.number();
  if (reader.tag() == fixed64(3)) point_.time.count = reader.number();
}

void PointReader::read_number(const Reader& reader) {
  switch (reader.tag()) {
    case fixed64(4):
      point_.value = double_scalar(reader.number());
      break;
    case bytes(5):
      return add_exemplar(reader);
    case fixed64(6):
      point_.value = integer_scalar(reader.number());
      break;
    case bytes(7):
      return read_attribute(reader);
    case varint(8):
      point_.flags = reader.number32();
      break;
    default:
      read_times(reader);
  }
}

void PointReader::read_histogram(const Reader& reader) {
  switch (reader.tag()) {
    case fixed64(4):
      point_.count = reader.number();
      break;
    case fixed64(5):
      point_.sum = as_double(reader.number());
      break;
    case fixed64(6):
      point_.bucket_counts.integer(reader.number());
      break;
    case bytes(6):
      return put_packed(reader.text(), WireType::kFixed64, Numbers::kUnsigned, failure_,
                        point_.bucket_counts);
    case fixed64(7):
      point_.explicit_bounds.number(as_double(reader.number()));
      break;
    case bytes(7):
      return put_packed(reader.text(), WireType::kFixed64, Numbers::kDoubles, failure_,
                        point_.explicit_bounds);
    case bytes(8):
      return add_exemplar(reader);
    case bytes(9):
      return read_attribute(reader);
    case varint(10):
      point_.flags = reader.number32();
      break;
    case fixed64(11):
      point_.min = as_double(reader.number());
      break;
    case fixed64(12):
      point_.max = as_double(reader.number());
      break;
    default:
      read_times(reader);
  }
}

void PointReader::read_exponential(const Reader& reader) {
  switch (reader.tag()) {
    case bytes(1):
      return read_attribute(reader);
    case fixed64(2):
    case fixed64(3):
      return read_times(reader);
    case bytes(8):
      return read_buckets(reader.text(), failure_, point_.positive);
    case bytes(9):
      return read_buckets(reader.text(), failure_, point_.negative);
    case varint(10):
      point_.flags = reader.number32();
      break;
    case bytes(11):
      return add_exemplar(reader);
    default:
      read_exponential_count(reader);
  }
}

void PointReader::read_exponential_count(const Reader& reader) {
  switch (reader.tag()) {
    case fixed64(4):
      point_.count = reader.number();
      break;
    case fixed64(5):
      point_.sum = as_double(reader.number());
      break;
    case varint(6):
      point_.scale = small_zigzag(reader.number());
      break;
    case fixed64(7):
      point_.zero_count = reader.number();
      break;
    case fixed64(12):
      point_.min = as_double(reader.number());
      break;
    case fixed64(13):
      point_.max = as_double(reader.number());
      break;
    case fixed64(14):
      point_.zero_threshold = as_double(reader.number());
      break;
    default:
      break;
  }
}

void PointReader::read_summary(const Reader& reader) {
  switch (reader.tag()) {
    case fixed64(4):
      point_.count = reader.number();
      break;
    case fixed64(5):
      point_.sum = as_double(reader.number());
      break;
    case bytes(6):
      return read_quantile(reader.text(), failure_, point_);
    case bytes(7):
      return read_attribute(reader);
    case varint(8):
      point_.flags = reader.number32();
      break;
    default:
      read_times(reader);
  }
}

std::optional<MetricKind> kind_of(std::uint32_t tag) {
  switch (tag) {
    case bytes(5):
      return MetricKind::kGauge;
    case bytes(7):
      return MetricKind::kSum;
    case bytes(9):
      return MetricKind::kHistogram;
    case bytes(10):
      return MetricKind::kExponentialHistogram;
    case bytes(11):
      return MetricKind::kSummary;
    default:
      return {};
  }
}

/// Returns the message that holds its points.
std::string_view read_metric(std::string_view message, Failure& failure, Metric& metric) {
  std::string_view data;
  metric.clear();
  for (Reader reader(message, failure); reader.next();) {
    if (reader.tag() == bytes(1)) metric.name = reader.text();
    if (reader.tag() == bytes(2)) metric.description = reader.text();
    if (reader.tag() == bytes(3)) metric.unit = reader.text();
    if (reader.tag() == bytes(12)) {
      put_key_value(reader.text(), failure, metric.metadata, metric.known, metric.problem);
    }
    if (const auto kind = kind_of(reader.tag())) {
      metric.kind = *kind;
      data = reader.text();
    }
  }
  for (Reader reader(data, failure); reader.next();) {
    if (reader.tag() == varint(2)) metric.temporality = reader.number32();
    if (reader.tag() == varint(3)) metric.is_monotonic = reader.number() != 0;
  }
  return data;
}

}  // namespace

std::optional<Malformed> read_protobuf_metrics(std::string_view body, Mapper& mapper) {
  Failure failure{.body = body};
  Metric metric;
  PointReader reader(failure);
  for_each_record(failure, mapper, [&](std::string_view message) {
    const auto data = read_metric(message, failure, metric);
    for_each_message(data, 1, failure, [&](std::string_view point) {
      auto& read = reader.read(point, metric.kind);
      if (!failure.failed() && !mapper.add(metric, read)) failure.fail(kTooMuch, point.data());
    });
  });
  return malformed(failure);
}

}  // namespace weir::ingest::otlp
