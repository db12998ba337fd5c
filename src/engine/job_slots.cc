#include "engine/job_slots.h"

namespace weir::engine {

std::optional<JobSlots::Slot> JobSlots::take(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait(lock, stop, [this] { return free_ > 0; })) return {};
  --free_;
  return Slot(*this);
}

void JobSlots::put_back() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  freed_.notify_one();
}

}  // namespace weir::engine
