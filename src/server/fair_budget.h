#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace weir::server {

/// Something of which there is so much for all, as memory or places, and which one account may not
/// take from the others: it gets more while it has no more than is left then. Alone it gets a half,
/// the next one a half of the rest (the dynamic thresholds of Choudhury and Hahne, 1998, for
/// buffers that are shared).
///
/// Threads  Any. It outlives its shares.
class FairBudget {
 public:
  explicit FairBudget(std::uint64_t amount) : left_(amount) {}
  FairBudget(const FairBudget&) = delete;
  FairBudget& operator=(const FairBudget&) = delete;

  /// What somebody has of it, given back at its end.
  class Share {
   public:
    Share(FairBudget& budget, std::string account)
        : budget_(budget), account_(std::move(account)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share();

    /// Makes it so large at least; false: that is more than this account may have now.
    [[nodiscard]] bool grow_to(std::uint64_t amount);

   private:
    FairBudget& budget_;
    const std::string account_;
    std::uint64_t taken_ = 0;
  };

  /// Null: that is more than this account may have now.
  [[nodiscard]] std::unique_ptr<Share> take(std::string account, std::uint64_t amount = 1);

 private:
  [[nodiscard]] bool take_more(const std::string& account, std::uint64_t amount);
  void give_back(const std::string& account, std::uint64_t amount);

  std::mutex mutex_;
  // Guarded by mutex_:
  std::uint64_t left_;
  std::map<std::string, std::uint64_t> taken_;  // by account
};

}  // namespace weir::server
