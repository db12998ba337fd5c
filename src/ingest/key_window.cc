#include "ingest/key_window.h"

namespace weir::ingest {

bool KeyWindow::add(const EventKey& key, Timestamp now) {
  while (!order_.empty() && now - order_.front().at > kMaxAge) forget_oldest();
  if (!keys_.insert(key)) return false;
  order_.push_back({key, now});
  if (order_.size() > max_keys_) forget_oldest();
  return true;
}

void KeyWindow::forget_oldest() {
  keys_.erase(order_.front().key);
  order_.pop_front();
}

void KeyWindow::forget_newest(std::size_t count) {
  for (; count > 0 && !order_.empty(); --count) {
    keys_.erase(order_.back().key);
    order_.pop_back();
  }
}

std::chrono::microseconds KeyWindow::age(Timestamp now) const {
  return order_.size() < max_keys_ ? kMaxAge : now - order_.front().at;
}

}  // namespace weir::ingest
