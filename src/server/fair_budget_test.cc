#include "server/fair_budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::server {
namespace {

using Shares = std::vector<std::unique_ptr<FairBudget::Share>>;

std::size_t take_all(FairBudget& budget, const std::string& account, Shares& shares) {
  std::size_t taken = 0;
  while (auto share = budget.take(account)) {
    shares.push_back(std::move(share));
    ++taken;
  }
  return taken;
}

TEST(FairBudget, GivesOneAccountAsMuchAsIsLeftForOthers) {
  FairBudget budget(16);
  Shares shares;
  EXPECT_EQ(take_all(budget, "a", shares), 8);
  EXPECT_EQ(take_all(budget, "b", shares), 4);
  EXPECT_EQ(take_all(budget, "c", shares), 2);
  EXPECT_EQ(take_all(budget, "d", shares), 1);
  EXPECT_EQ(take_all(budget, "e", shares), 1);
  EXPECT_EQ(take_all(budget, "f", shares), 0);
  shares.clear();
  EXPECT_EQ(take_all(budget, "f", shares), 8);
}

TEST(FairBudget, ASingleOneIsForWhoeverComesFirst) {
  FairBudget budget(1);
  auto share = budget.take("a");
  EXPECT_NE(share, nullptr);
  EXPECT_EQ(budget.take("b"), nullptr);
  share.reset();
  EXPECT_NE(budget.take("b"), nullptr);
}

TEST(FairBudget, AShareThatCannotGrowStaysAsItIs) {
  FairBudget budget(100);
  {
    FairBudget::Share share(budget, "a");
    EXPECT_TRUE(share.grow_to(50));
    EXPECT_TRUE(share.grow_to(10));
    EXPECT_FALSE(share.grow_to(51));
    EXPECT_FALSE(share.grow_to(UINT64_MAX));
    EXPECT_NE(budget.take("b", 50), nullptr);
    EXPECT_EQ(budget.take("b", 51), nullptr);
  }
  EXPECT_NE(budget.take("b", 50), nullptr);
}

}  // namespace
}  // namespace weir::server
