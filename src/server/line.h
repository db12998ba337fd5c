#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/fair_budget.h"

namespace weir::server {

namespace asio = boost::asio;

/// Who waits for one of a few places, which accounts get in turn: whoever asks much waits behind
/// himself. Places, and how many may wait, are shared as FairBudget does.
///
/// Threads  Any. It outlives its turns.
class Line {
 public:
  struct Limits {
    std::size_t at_a_time = 1;
    std::size_t waiting = 0;
  };
  explicit Line(const Limits& limits) : places_(limits.at_a_time), room_(limits.waiting) {}

  /// A place, given back at its end.
  class Turn {
   public:
    Turn(Line& line, std::unique_ptr<FairBudget::Share> place)
        : line_(line), place_(std::move(place)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

   private:
    Line& line_;
    std::unique_ptr<FairBudget::Share> place_;
  };

  /// Null: too many of this account wait already, or of all. It holds no thread meanwhile.
  [[nodiscard]] asio::awaitable<std::shared_ptr<Turn>> enter(std::string account);

 private:
  using Ready = std::function<void(std::shared_ptr<Turn>)>;
  struct Waiter {
    Ready ready;
    std::unique_ptr<FairBudget::Share> room;
  };
  void enter(const std::string& account, Ready ready);
  void let_in();

  FairBudget places_;
  FairBudget room_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, std::deque<Waiter>> waiters_;  // by account
  std::deque<std::string> order_;                      // of those accounts: whose turn is next
};

}  // namespace weir::server
