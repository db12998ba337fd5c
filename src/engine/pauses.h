#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

#include "engine/signal_request.h"

namespace weir::engine {

/// What a run hands down to the runs inside it: that it is paused, that it goes on, that it is
/// stopped at once.
///
/// Threads  Any. A listener is called under this object's lock, by whoever pauses the run: it may
///          lock what is below, never what is above.
class Pauses {
 public:
  /// Takes the "pause", "resume" or "emergency-stop" that the run around has accepted.
  using Listener = std::function<void(const SignalRequest&)>;

  /// While it lives, the run inside hears of it; at once, when the run around is paused or stopped
  /// already.
  class Subscription {
   public:
    /// Null: there is no run around. Otherwise it outlives this.
    Subscription(Pauses* pauses, Listener listener);
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription();

   private:
    Pauses* pauses_;
    std::list<Listener>::iterator place_;
  };

  void hand_down(SignalRequest request);

  /// An "emergency-stop" is going to be handed down: what stops a run inside before it comes is not
  /// why that run ends.
  void announce_stop_at_once() { stops_at_once_ = true; }
  [[nodiscard]] bool stops_at_once() const { return stops_at_once_; }

 private:
  std::atomic<bool> stops_at_once_ = false;
  std::mutex mutex_;
  std::list<Listener> listeners_;          // guarded by mutex_, as is the next one
  std::optional<SignalRequest> standing_;  // what a run that begins now hears at once
};

}  // namespace weir::engine
