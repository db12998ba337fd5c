#include "server/line.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

namespace weir::server {

Line::Turn::~Turn() {
  place_.reset();
  line_.let_in();
}

asio::awaitable<std::shared_ptr<Line::Turn>> Line::enter(std::string account) {
  const auto executor = co_await asio::this_coro::executor;
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable),
                                          void(std::shared_ptr<Turn>)>(
      [&](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        enter(account, [shared, executor](std::shared_ptr<Turn> turn) {
          asio::post(executor, [shared, turn = std::move(turn)]() mutable {
            std::move (*shared)(std::move(turn));
          });
        });
      },
      asio::use_awaitable);
}

void Line::enter(const std::string& account, Ready ready) {
  std::shared_ptr<Turn> turn;
  {
    const std::lock_guard lock(mutex_);
    const bool waits = waiters_.contains(account);
    auto place = waits ? nullptr : places_.take(account);
    if (place) {
      turn = std::make_shared<Turn>(*this, std::move(place));
    } else if (auto room = room_.take(account)) {
      if (!waits) order_.push_back(account);
      waiters_[account].push_back({std::move(ready), std::move(room)});
      return;
    }
  }
  ready(std::move(turn));
}

/// Gives what places there are to those who may have them.
void Line::let_in() {
  std::vector<std::pair<Ready, std::shared_ptr<Turn>>> admitted;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t refused = 0; refused < order_.size();) {
      const auto account = std::exchange(order_.front(), {});
      order_.pop_front();
      auto& waiting = waiters_[account];
      ++refused;
      if (auto place = places_.take(account)) {
        admitted.emplace_back(std::move(waiting.front().ready),
                              std::make_shared<Turn>(*this, std::move(place)));
        waiting.pop_front();
        refused = 0;
      }
      if (waiting.empty()) {
        waiters_.erase(account);
      } else {
        order_.push_back(account);
      }
    }
  }
  for (auto& [ready, turn] : admitted) ready(std::move(turn));
}

}  // namespace weir::server
