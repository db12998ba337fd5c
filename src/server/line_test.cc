#include "server/line.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <vector>

namespace weir::server {
namespace {

/// Who asks for turns, and who got one, in order.
class Waiting {
 public:
  explicit Waiting(const Line::Limits& limits) : line_(limits) {}

  void ask(const std::string& account) {
    asio::co_spawn(io_, enter(account), asio::detached);
    settle();
  }
  /// Ends the turn that was given first.
  void end_one() {
    turns_.erase(turns_.begin());
    settle();
  }
  [[nodiscard]] const std::vector<std::string>& given() const { return given_; }

 private:
  asio::awaitable<void> enter(std::string account) {
    auto turn = co_await line_.enter(account);
    given_.push_back(turn ? account : account + " refused");
    if (turn) turns_.push_back(std::move(turn));
  }
  void settle() {
    io_.restart();
    io_.poll();
  }

  Line line_;
  asio::io_context io_;
  std::vector<std::shared_ptr<Line::Turn>> turns_;
  std::vector<std::string> given_;
};

using Given = std::vector<std::string>;

TEST(Line, AccountsGetTheirTurnsOneAfterTheOther) {
  Waiting line({.at_a_time = 1, .waiting = 64});
  for (const auto* account : {"a", "a", "a", "b", "b", "c"}) line.ask(account);
  EXPECT_EQ(line.given(), (Given{"a"}));
  for (int i = 0; i < 5; ++i) line.end_one();
  EXPECT_EQ(line.given(), (Given{"a", "a", "b", "c", "a", "b"}));
}

TEST(Line, AnAccountLeavesAPlaceToOthers) {
  Waiting line({.at_a_time = 2, .waiting = 64});
  for (const auto* account : {"a", "a", "b"}) line.ask(account);
  EXPECT_EQ(line.given(), (Given{"a", "b"}));
  line.end_one();
  EXPECT_EQ(line.given(), (Given{"a", "b", "a"}));
}

TEST(Line, RefusesThoseOfAnAccountThatHasManyInIt) {
  Waiting line({.at_a_time = 1, .waiting = 4});
  for (const auto* account : {"a", "a", "a", "a", "b"}) line.ask(account);
  EXPECT_EQ(line.given(), (Given{"a", "a refused"}));
  for (int i = 0; i < 3; ++i) line.end_one();
  EXPECT_EQ(line.given(), (Given{"a", "a refused", "a", "b", "a"}));
}

}  // namespace
}  // namespace weir::server
