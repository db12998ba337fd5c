#include "store/histogram.h"

#include <algorithm>
#include <cmath>

namespace weir::store {
namespace {

constexpr double kGamma = 1.01 / 0.99;
constexpr double kLeast = 1e-6;
constexpr double kGreatest = 1e12;
/// So many more than are sorted may be there before all are.
constexpr std::size_t kUnsorted = 64;

/// Of counts from outside too: they stop at the greatest.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? INT64_MAX : result;
}

}  // namespace

std::int32_t Histogram::bucket_of(double value) {
  static const double log_gamma = std::log(kGamma);
  if (!(value > kLeast)) return kZeroBucket;
  return static_cast<std::int32_t>(std::ceil(std::log(std::min(value, kGreatest)) / log_gamma));
}

double Histogram::value_of(std::int32_t bucket) {
  if (bucket <= kZeroBucket) return 0;
  return 2 * std::pow(kGamma, bucket) / (kGamma + 1);
}

void Histogram::add(Bucket bucket) {
  if (bucket.count < 1) return;
  buckets_.push_back(bucket);
  if (buckets_.size() > 2 * sorted_ + kUnsorted) sort();
}

void Histogram::add(const Histogram& other) {
  for (const auto& bucket : other.buckets_) add(bucket);
}

void Histogram::sort() {
  std::ranges::sort(buckets_, {}, &Bucket::index);
  std::size_t end = 0;
  for (const auto& bucket : buckets_) {
    if (end > 0 && buckets_[end - 1].index == bucket.index) {
      buckets_[end - 1].count = sum(buckets_[end - 1].count, bucket.count);
    } else {
      buckets_[end++] = bucket;
    }
  }
  buckets_.resize(end);
  sorted_ = end;
}

std::span<const Histogram::Bucket> Histogram::buckets() {
  if (sorted_ < buckets_.size()) sort();
  return buckets_;
}

std::optional<double> quantile(std::span<const Histogram::Bucket> buckets, double q) {
  std::int64_t count = 0;
  for (const auto& bucket : buckets) count = sum(count, bucket.count);
  if (count < 1) return {};
  const auto share = std::isnan(q) ? 0 : std::clamp(q, 0.0, 1.0);
  const auto rank = std::floor(share * static_cast<double>(count - 1));
  double before = 0;
  for (const auto& bucket : buckets) {
    before += static_cast<double>(bucket.count);
    if (before > rank) return Histogram::value_of(bucket.index);
  }
  return Histogram::value_of(buckets.back().index);
}

}  // namespace weir::store
