#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace weir::report {

/// How much a measurement is apt to be, from earlier ones. One strange value among many moves
/// neither number.
struct Usual {
  double median = 0;
  double deviation = 0;  ///< the median distance from the median (MAD)
  std::size_t count = 0;

  bool operator==(const Usual&) const = default;
};

/// Nothing without values.
[[nodiscard]] std::optional<Usual> usual_of(std::vector<double> values);

/// Fewer earlier values say too little of what is noise.
inline constexpr std::size_t kEnoughForNoise = 5;

/// Whether a value is another than the noise of earlier ones explains: more than three robust
/// deviations from their median. A robust deviation is 1.4826 times the MAD, which of a normal
/// distribution is its standard deviation; and no less than a fiftieth of the median and than
/// `least`, the finest difference that anybody wants to hear of: values that were all alike have a
/// deviation of 0. Nothing: too few earlier values.
[[nodiscard]] std::optional<bool> is_unusual(double value, const Usual& usual, double least);

}  // namespace weir::report
