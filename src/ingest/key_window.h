#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "base/time.h"
#include "ingest/event_key.h"
#include "ingest/key_set.h"

namespace weir::ingest {

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
  /// `key` will be added after kAhead others: memory takes so long to answer. Inline, as prefetch.
  [[gnu::always_inline]] void expect(const EventKey& key) const {
    keys_.prefetch(key);
    if (order_.size() == max_keys_ && max_keys_ > kAhead) keys_.prefetch(order_[kAhead].key);
  }
  static constexpr std::size_t kAhead = 12;
  /// Takes back the `count` keys that were added last.
  void forget_newest(std::size_t count);

  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// How far back it knows: the age of its oldest key, all of them while it was never full.
  [[nodiscard]] std::chrono::microseconds age(Timestamp now) const;

 private:
  struct Seen {
    EventKey key;
    Timestamp at;
  };
  void forget_oldest();

  const std::size_t max_keys_;
  KeySet keys_;
  std::deque<Seen> order_;  // all of them, the oldest first
};

}  // namespace weir::ingest
