#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace weir::engine {

/// How many tools a run and the runs that its nodes begin may call at a time, all together. A node
/// that waits for its child run has none, so no run can wait for a slot that its own child needs.
///
/// Threads  Any.
class JobSlots {
 public:
  explicit JobSlots(int count) : free_(count) {}

  /// Held while it lives.
  class Slot {
   public:
    explicit Slot(JobSlots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->put_back();
    }

   private:
    JobSlots* slots_;
  };
  /// Waits for one; nothing once `stop` is requested.
  [[nodiscard]] std::optional<Slot> take(const std::stop_token& stop);

 private:
  void put_back();

  std::mutex mutex_;
  std::condition_variable_any freed_;
  int free_;  // guarded by mutex_
};

}  // namespace weir::engine
