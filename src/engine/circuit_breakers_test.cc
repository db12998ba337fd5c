#include "engine/circuit_breakers.h"

#include <gtest/gtest.h>

namespace weir::engine {
namespace {

using std::chrono::milliseconds;

/// Time goes on when the test says so.
class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return Timestamp(now_); }
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return now_; }
  void pass(milliseconds time) { now_ += time; }

 private:
  std::chrono::microseconds now_{0};
};

const pipeline::CircuitBreaker kChat{
    .operation = "chat", .provider = "acme", .failures = 2, .open_for = milliseconds(100)};
const CircuitKey kKey{.operation = "chat", .provider = "acme"};

class CircuitBreakersTest : public testing::Test {
 protected:
  void open() {
    breakers_.failed(kChat, "one");
    breakers_.failed(kChat, "two");
  }
  [[nodiscard]] CircuitState state() const { return breakers_.status(kKey).state; }

  SetClock clock_;
  CircuitBreakers breakers_{clock_};
};

TEST_F(CircuitBreakersTest, OpenAfterSoManyFailuresInARow) {
  EXPECT_EQ(breakers_.failed(kChat, "one"), std::nullopt);
  breakers_.succeeded(kChat);
  EXPECT_EQ(breakers_.failed(kChat, "two"), std::nullopt) << "not in a row";
  EXPECT_FALSE(breakers_.is_open(kKey));
  EXPECT_EQ(breakers_.failed(kChat, "three"), CircuitState::kOpen);
  EXPECT_TRUE(breakers_.is_open(kKey));
  EXPECT_FALSE(breakers_.is_open({.operation = "chat", .provider = "other"}));
  EXPECT_FALSE(breakers_.is_open({.operation = "embed", .provider = "acme"}));
  const auto admission = breakers_.admit(kChat);
  EXPECT_FALSE(admission.is_admitted);
  EXPECT_EQ(admission.retry_after, milliseconds(100));
  EXPECT_EQ(breakers_.status(kKey), (CircuitStatus{.state = CircuitState::kOpen,
                                                   .failures_in_row = 2,
                                                   .succeeded = 1,
                                                   .failed = 3,
                                                   .refused = 1,
                                                   .opened = 1,
                                                   .reason = "three"}));
}

TEST_F(CircuitBreakersTest, LetOneCallThroughWhenTheTimeIsOver) {
  open();
  clock_.pass(milliseconds(99));
  EXPECT_FALSE(breakers_.admit(kChat).is_admitted);
  clock_.pass(milliseconds(1));
  EXPECT_FALSE(breakers_.is_open(kKey)) << "it would be tried";
  const auto trial = breakers_.admit(kChat);
  EXPECT_TRUE(trial.is_admitted && trial.is_trial && trial.became_half_open);
  EXPECT_FALSE(breakers_.admit(kChat).is_admitted) << "only one";
  EXPECT_TRUE(breakers_.is_open(kKey));
  EXPECT_EQ(breakers_.succeeded(kChat, trial), CircuitState::kClosed);
  EXPECT_TRUE(breakers_.admit(kChat).is_admitted);
  EXPECT_EQ(breakers_.failed(kChat, "again"), std::nullopt) << "it counts anew";
}

TEST_F(CircuitBreakersTest, OpenAgainWhenTheTrialFails) {
  open();
  clock_.pass(milliseconds(100));
  const auto trial = breakers_.admit(kChat);
  EXPECT_EQ(breakers_.failed(kChat, "still", trial), CircuitState::kOpen);
  EXPECT_FALSE(breakers_.admit(kChat).is_admitted);
  EXPECT_EQ(breakers_.status(kKey).opened, 2U);
}

TEST_F(CircuitBreakersTest, TryAgainAfterATrialThatSaysNothing) {
  open();
  clock_.pass(milliseconds(100));
  breakers_.abandoned(kChat, breakers_.admit(kChat));
  EXPECT_EQ(state(), CircuitState::kHalfOpen);
  const auto second = breakers_.admit(kChat);
  EXPECT_TRUE(second.is_trial);
  EXPECT_FALSE(second.became_half_open) << "it was";
}

TEST_F(CircuitBreakersTest, DoNotHeedCallsFromBeforeTheyOpened) {
  const auto before = breakers_.admit(kChat);
  open();
  EXPECT_EQ(breakers_.succeeded(kChat, before), std::nullopt);
  EXPECT_EQ(state(), CircuitState::kOpen);
  clock_.pass(milliseconds(100));
  const auto trial = breakers_.admit(kChat);
  EXPECT_EQ(breakers_.failed(kChat, "late", before), std::nullopt);
  EXPECT_EQ(breakers_.succeeded(kChat, trial), CircuitState::kClosed);
}

}  // namespace
}  // namespace weir::engine
