#include "report/usual.h"

#include <algorithm>
#include <cmath>

namespace weir::report {
namespace {

/// Of an even number of values, the mean of the two in the middle.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace

std::optional<Usual> usual_of(std::vector<double> values) {
  if (values.empty()) return {};
  const auto median = median_of(values);
  const auto count = values.size();
  for (auto& value : values) value = std::abs(value - median);
  return Usual{.median = median, .deviation = median_of(values), .count = count};
}

std::optional<bool> is_unusual(double value, const Usual& usual, double least) {
  constexpr double kNormal = 1.4826, kMost = 3, kLeastShare = 0.02;
  if (usual.count < kEnoughForNoise) return {};
  const auto deviation =
      std::max({kNormal * usual.deviation, kLeastShare * std::abs(usual.median), least / kMost});
  return std::abs(value - usual.median) > kMost * deviation;
}

}  // namespace weir::report
