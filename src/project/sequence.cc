#include "project/sequence.h"

#include <algorithm>
#include <iterator>
#include <limits>

namespace weir::project {

bool Sequence::take(std::int64_t number, Timestamp at) {
  if (number < next) return fill(number);
  if (number > next) {
    if (holes.size() < kMaxHoles) {
      holes.push_back({.first = next, .last = number - 1, .since = at});
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
  const auto [first, last, since] = *hole;
  auto at = holes.erase(hole);
  if (number < last) at = holes.insert(at, {.first = number + 1, .last = last, .since = since});
  if (first < number) holes.insert(at, {.first = first, .last = number - 1, .since = since});
  return true;
}

std::string Sequence::numbers(std::span<const Hole> holes) {
  constexpr std::size_t kMaxNamed = 3;
  std::string text;
  for (const auto& hole : holes.first(std::min(holes.size(), kMaxNamed))) {
    if (!text.empty()) text += ", ";
    text += std::to_string(hole.first);
    if (hole.first < hole.last) text += " to " + std::to_string(hole.last);
  }
  if (holes.size() > kMaxNamed) text += " and more";
  return text;
}

std::string Sequence::missing() const {
  if (!has_holes()) return "";
  const bool is_one = holes.size() == 1 && holes[0].first == holes[0].last;
  return is_one ? "event " + numbers(holes) + " is missing"
                : "events " + numbers(holes) + " are missing";
}

std::vector<Sequence::Hole> Sequence::open_since(Timestamp then) const {
  std::vector<Hole> open;
  std::ranges::copy_if(holes, std::back_inserter(open),
                       [&](const Hole& hole) { return hole.since <= then; });
  return open;
}

}  // namespace weir::project
