#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"

namespace weir::project {

/// Which numbers of a sequence have come: each is taken once, holes are known until they are
/// filled.
struct Sequence {
  /// More are only counted: then some event is missing for good.
  static constexpr std::size_t kMaxHoles = 10'000;

  /// Numbers that have not come, `first` to `last`.
  struct Hole {
    std::int64_t first = 0;
    std::int64_t last = 0;
    Timestamp since{};  ///< when one after them had come
    bool operator==(const Hole&) const = default;
  };

  std::int64_t next = 0;    ///< after the highest that has come; at the beginning, the first
  std::vector<Hole> holes;  ///< below `next`, ascending
  std::int64_t holes_beyond = 0;

  bool operator==(const Sequence&) const = default;

  /// It came at this time. False: it was taken before.
  bool take(std::int64_t number, Timestamp at);
  [[nodiscard]] bool has_holes() const { return !holes.empty() || holes_beyond > 0; }
  /// "events 5 to 7, 9 are missing"; empty when none is.
  [[nodiscard]] std::string missing() const;
  /// "5 to 7, 9"
  [[nodiscard]] static std::string numbers(std::span<const Hole> holes);
  /// Those that were open already then.
  [[nodiscard]] std::vector<Hole> open_since(Timestamp then) const;

 private:
  bool fill(std::int64_t number);
};

}  // namespace weir::project
