#include "project/sequence.h"

#include <algorithm>
#include <limits>

namespace weir::project {

bool Sequence::take(std::int64_t number) {
  if (number < next) return fill(number);
  if (number > next) {
    if (holes.size() < kMaxHoles) {
      holes.push_back({.first = next, .last = number - 1});
    } else {
      ++holes_beyond;
    }
  }
  // The last number that there is comes as often as it likes: nothing follows it.
  next = number < std::numeric_limits<std::int64_t>::max() ? number + 1 : number;
  return true;
}

bool Sequence::fill(std::int64_t number) {
  const auto hole = std::ranges::lower_bound(holes, number, {}, &Hole::last);
  if (hole == holes.end() || number < hole->first) return false;
  const auto [first, last] = *hole;
  auto at = holes.erase(hole);
  if (number < last) at = holes.insert(at, {.first = number + 1, .last = last});
  if (first < number) holes.insert(at, {.first = first, .last = number - 1});
  return true;
}

std::string Sequence::missing() const {
  if (!has_holes()) return "";
  constexpr std::size_t kMaxNamed = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(holes.size(), kMaxNamed); ++i) {
    if (!text.empty()) text += ", ";
    text += std::to_string(holes[i].first);
    if (holes[i].first < holes[i].last) text += " to " + std::to_string(holes[i].last);
  }
  if (holes.size() > kMaxNamed) text += " and more";
  const bool is_one = holes.size() == 1 && holes[0].first == holes[0].last;
  return is_one ? "event " + text + " is missing" : "events " + text + " are missing";
}

}  // namespace weir::project
