#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"

namespace weir::ingest {

/// The records of a request that could not be taken; the others were.
struct Rejections {
  /// Of the others only the place is said: an answer is no copy of the request.
  static constexpr std::size_t kMaxNamed = 100;

  struct One {
    std::size_t index = 0;  ///< place in the request, from 0
    std::string reason;
  };
  /// Some that follow each other.
  struct Range {
    std::size_t first = 0, last = 0;
    bool operator==(const Range&) const = default;
  };
  std::uint64_t records = 0;  ///< of the request, those that were rejected among them
  std::uint64_t count = 0;
  std::vector<One> named;
  std::vector<Range> places;  ///< all of them, in their order
  bool is_list = true;        ///< the request may have several records, however many it has

  void add(std::size_t index, std::string reason) {
    ++count;
    if (!places.empty() && places.back().last + 1 == index) {
      places.back().last = index;
    } else {
      places.push_back({index, index});
    }
    if (named.size() < kMaxNamed) named.push_back({index, std::move(reason)});
  }
};

/// What a request says, as a reason quotes it: on one line, and only how it begins.
[[nodiscard]] std::string quoted(std::string_view text);

/// Why events of a run are not taken that LineMaker does not take.
[[nodiscard]] std::string not_ours_to_tell(const RunId& run);

}  // namespace weir::ingest
