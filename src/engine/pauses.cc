#include "engine/pauses.h"

#include <utility>

namespace weir::engine {

Pauses::Subscription::Subscription(Pauses* pauses, Listener listener) : pauses_(pauses) {
  if (pauses_ == nullptr) return;
  const std::lock_guard lock(pauses_->mutex_);
  if (pauses_->standing_) listener(*pauses_->standing_);
  place_ = pauses_->listeners_.insert(pauses_->listeners_.end(), std::move(listener));
}

Pauses::Subscription::~Subscription() {
  if (pauses_ == nullptr) return;
  const std::lock_guard lock(pauses_->mutex_);
  pauses_->listeners_.erase(place_);
}

void Pauses::hand_down(SignalRequest request) {
  const bool goes_on = request.type == "resume";
  if (request.reason.empty()) {
    request.reason = goes_on                   ? "the run around it goes on"
                     : request.type == "pause" ? "the run around it is paused"
                                               : "the run around it was";
  }
  const std::lock_guard lock(mutex_);
  for (const auto& listener : listeners_) listener(request);
  standing_.reset();
  if (!goes_on) standing_ = std::move(request);
}

}  // namespace weir::engine
