#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace weir::server {

/// How much memory the bodies of all requests may take together.
///
/// Threads Any.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes) : left_(static_cast<std::ptrdiff_t>(bytes)) {}

  /// A share of it, given back at its end.
  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { budget_.left_.fetch_add(taken_, std::memory_order_relaxed); }

    /// Makes it so large at least; false: there is not so much left.
    [[nodiscard]] bool grow_to(std::size_t bytes) {
      const auto more = static_cast<std::ptrdiff_t>(bytes) - taken_;
      if (more <= 0) return true;
      if (budget_.left_.fetch_sub(more, std::memory_order_relaxed) < more) {
        budget_.left_.fetch_add(more, std::memory_order_relaxed);
        return false;
      }
      taken_ += more;
      return true;
    }

   private:
    MemoryBudget& budget_;
    std::ptrdiff_t taken_ = 0;
  };

 private:
  std::atomic<std::ptrdiff_t> left_;
};

}  // namespace weir::server
