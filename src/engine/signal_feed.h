#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "engine/signal_request.h"
#include "event/decoder.h"
#include "log/follower.h"
#include "record/recorder.h"

namespace weir::engine {

/// Hands over what other processes, and this one, ask of the runs of this process.
///
///   other process ──► its run in the log ──► follower ──┐
///   this process  ──► ask ──► its run in the log        ├──► handler of the run
///                      └────────────────────────────────┘
///
/// Early    A request to a run that is not subscribed yet is kept until it is: a run that is taken
///          up is named by the log before it is here. The newest `kMaxUnclaimed` are kept.
/// Threads  Any; and its own, `weir-requests`, joined by the destructor.
/// Failure  What the follower cannot read is passed over: whoever asked there gets no answer.
class SignalFeed {
 public:
  using Handler = std::function<void(SignalRequest)>;

  /// Most of what is kept are requests to runs of other processes: of those few are under way.
  static constexpr std::size_t kMaxUnclaimed = 1000;

  /// Reads what is committed after `from`; nothing: from now on. `recorder` outlives it; its own
  /// segments are not read. Errors: those of log::Follower.
  [[nodiscard]] static Result<std::unique_ptr<SignalFeed>> start(
      record::Recorder& recorder, std::optional<log::Cursor> from = {});
  ~SignalFeed();
  SignalFeed(const SignalFeed&) = delete;
  SignalFeed& operator=(const SignalFeed&) = delete;

  /// From now on `handler` gets each request to the run, under no lock: those that came before from
  /// this thread, those in the log from the feed's, those of `ask` from its caller's. `tenant_id`:
  /// whose run it is.
  void subscribe(const RunId& run, std::string tenant_id, Handler handler);
  /// When it returns, the handler is not called any more. Not from the handler.
  void unsubscribe(const RunId& run);

  /// Records the request, as the run's tenant's, and hands it over. Errors: kNotFound (no run of
  /// that id is here), those of record_request.
  [[nodiscard]] Result<void> ask(SignalRequest request, const artifact::ArtifactStore& artifacts);

 private:
  struct Subscriber {
    std::string tenant_id;
    Handler handler;
    int calls = 0;  // going on

    /// Another tenant may have a run of that id. What is nobody's is for whoever has it.
    [[nodiscard]] bool is_meant(const SignalRequest& request) const {
      return request.tenant_id.empty() || request.tenant_id == tenant_id;
    }
  };
  SignalFeed(record::Recorder& recorder, log::Follower follower);
  void follow();
  void read(std::string_view lines);
  enum class IfNobody : std::uint8_t { kDrop, kKeep };
  [[nodiscard]] std::string tenant_of(const RunId& run);
  [[nodiscard]] bool hand_over(SignalRequest request, IfNobody if_nobody = IfNobody::kDrop);

  record::Recorder& recorder_;
  log::Follower follower_;
  event::Decoder decoder_;
  std::mutex mutex_;
  std::condition_variable called_;
  std::unordered_map<RunId, std::shared_ptr<Subscriber>> subscribers_;  // guarded by mutex_
  std::deque<SignalRequest> unclaimed_;                                 // guarded by mutex_
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// A handler that is subscribed for as long as it lives; to no feed, if there is none.
class SignalSubscription {
 public:
  SignalSubscription(SignalFeed* feed, const RunId& run, std::string tenant_id,
                     SignalFeed::Handler handler)
      : feed_(feed), run_(run) {
    if (feed_ != nullptr) feed_->subscribe(run_, std::move(tenant_id), std::move(handler));
  }
  ~SignalSubscription() {
    if (feed_ != nullptr) feed_->unsubscribe(run_);
  }
  SignalSubscription(const SignalSubscription&) = delete;
  SignalSubscription& operator=(const SignalSubscription&) = delete;

 private:
  SignalFeed* feed_;
  RunId run_;
};

}  // namespace weir::engine
