#include "engine/pauses.h"

#include <utility>

namespace weir::engine {

Pauses::Subscription::Subscription(Pauses* pauses, Listener listener) : pauses_(pauses) {
  if (pauses_ == nullptr) return;
  const std::lock_guard lock(pauses_->mutex_);
  if (pauses_->pause_) listener(*pauses_->pause_);
  place_ = pauses_->listeners_.insert(pauses_->listeners_.end(), std::move(listener));
}

Pauses::Subscription::~Subscription() {
  if (pauses_ == nullptr) return;
  const std::lock_guard lock(pauses_->mutex_);
  pauses_->listeners_.erase(place_);
}

void Pauses::hand_down(SignalRequest request) {
  const bool is_pause = request.type == "pause";
  if (request.reason.empty()) {
    request.reason = is_pause ? "the run around it is paused" : "the run around it goes on";
  }
  const std::lock_guard lock(mutex_);
  for (const auto& listener : listeners_) listener(request);
  pause_.reset();
  if (is_pause) pause_ = std::move(request);
}

}  // namespace weir::engine
