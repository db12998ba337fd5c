#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "base/id.h"
#include "base/time.h"

namespace weir::ingest {

/// What an event of another system is known by, in 128 bits that nobody outside can aim at: which
/// they are depends on a secret of this process.
struct EventKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const EventKey&) const = default;

  [[nodiscard]] static EventKey of(std::string_view tenant, const RunId& run, std::string_view key);
};

/// The keys that have been seen: those of the last 24 hours, and of them the last four million.
///
/// Threads One at a time.
class KeyWindow {
 public:
  static constexpr std::size_t kMaxKeys = 4'000'000;
  static constexpr std::chrono::hours kMaxAge{24};

  explicit KeyWindow(std::size_t max_keys = kMaxKeys) : max_keys_(max_keys) {}

  /// False: it is there already, and not so old that it may be forgotten.
  bool add(const EventKey& key, Timestamp now);
  /// Takes back the `count` keys that were added last.
  void forget_newest(std::size_t count);

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// How far back it knows: the age of its oldest key, all of them while it was never full.
  [[nodiscard]] std::chrono::microseconds age(Timestamp now) const;

 private:
  struct Hash {
    using is_avalanching = void;
    std::size_t operator()(const EventKey& key) const noexcept { return key.low; }
  };
  struct Seen {
    EventKey key;
    Timestamp at;
  };
  void forget_oldest();

  const std::size_t max_keys_;
  boost::unordered_flat_set<EventKey, Hash> keys_;
  std::deque<Seen> order_;  // all of them, the oldest first
};

}  // namespace weir::ingest
