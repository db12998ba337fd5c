#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weir::store {

/// How values are distributed, in buckets that are each 2 % wide: a DDSketch (Masson, Rim and Lee,
/// VLDB 2019). Merging is exact; see docs/formats/rollups.md.
class Histogram {
 public:
  struct Bucket {
    std::int32_t index = 0;
    std::int64_t count = 0;
    bool operator==(const Bucket&) const = default;
  };

  /// The bucket of values up to a nanosecond, in milliseconds.
  static constexpr std::int32_t kZeroBucket = -1000;
  /// Of a value that is a number.
  [[nodiscard]] static std::int32_t bucket_of(double value);
  /// What a bucket stands for: within 1 % of every value in it.
  [[nodiscard]] static double value_of(std::int32_t bucket);

  void add(double value) { add({.index = bucket_of(value), .count = 1}); }
  /// Counts below 1 count nothing.
  void add(Bucket bucket);
  void add(const Histogram& other);

  /// In ascending order, each once.
  [[nodiscard]] std::span<const Bucket> buckets();

 private:
  void sort();

  std::vector<Bucket> buckets_;  // those from sorted_ on as they came
  std::size_t sorted_ = 0;
};

/// What stands for the value with floor(q * (n - 1)) smaller ones before it; nothing of none. The
/// buckets are in ascending order; a `q` outside of 0 to 1 is the nearest of them.
[[nodiscard]] std::optional<double> quantile(std::span<const Histogram::Bucket> buckets, double q);

}  // namespace weir::store
