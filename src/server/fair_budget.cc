#include "server/fair_budget.h"

namespace weir::server {

FairBudget::Share::~Share() {
  if (taken_ > 0) budget_.give_back(account_, taken_);
}

bool FairBudget::Share::grow_to(std::uint64_t amount) {
  if (amount <= taken_) return true;
  if (!budget_.take_more(account_, amount - taken_)) return false;
  taken_ = amount;
  return true;
}

std::unique_ptr<FairBudget::Share> FairBudget::take(std::string account, std::uint64_t amount) {
  auto share = std::make_unique<Share>(*this, std::move(account));
  if (!share->grow_to(amount)) return nullptr;
  return share;
}

bool FairBudget::take_more(const std::string& account, std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(account);
  const auto before = found == taken_.end() ? 0 : found->second;
  if (amount > left_ || before > left_ - amount) return false;
  left_ -= amount;
  taken_[account] = before + amount;
  return true;
}

void FairBudget::give_back(const std::string& account, std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  left_ += amount;
  const auto found = taken_.find(account);
  found->second -= amount;
  if (found->second == 0) taken_.erase(found);
}

}  // namespace weir::server
