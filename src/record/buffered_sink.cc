#include "record/buffered_sink.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/exception.h"
#include "event/decoder.h"
#include "record/fork_guard.h"

namespace weir::record {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What is longer could be more than a clock can say.
constexpr milliseconds kMaxWait = std::chrono::hours(24);

milliseconds bounded(milliseconds wait) { return std::clamp(wait, milliseconds(0), kMaxWait); }

template <class Function, class... Arguments>
void tell(const Function& function, const Arguments&... arguments) {
  if (!function) return;
  static_cast<void>(call_caught([&]() -> Result<void> {
    function(arguments...);
    return {};
  }));
}

}  // namespace

class BufferedSink::Impl {
 public:
  Impl(std::shared_ptr<EventSink> below, BufferedSinkOptions options)
      : options_(std::move(options)),
        high_water_events_(static_cast<std::size_t>(std::ceil(
            std::clamp(options_.high_water, 0.0, 1.0) * static_cast<double>(options_.max_events)))),
        below_(std::move(below)) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> start();
  Result<void> stop(Stop how, milliseconds timeout);
  Result<void> emit(const Published& event);
  bool try_emit(const Published& event);
  Result<void> flush();
  BufferedSinkStatistics statistics() const;

 private:
  enum class State : std::uint8_t { kNew, kRunning, kStopped };
  struct Queued {
    std::string topic;
    std::string line;
  };
  /// What the sink below has got since its last flush.
  struct Batch {
    std::size_t events = 0;
    SteadyClock::time_point flush_at;
  };

  void report(const Error& error) const { tell(options_.on_error, error); }

  // The following with mutex_ held.
  void stop_in_child();
  bool is_full(const Published& event) const;
  bool put(const Published& event);
  void refuse();
  std::size_t drop_queue();
  bool must_flush(const Batch& batch) const;

  // The thread; with `lock` held, which they release while the sink below is called.
  void work();
  void wait_for_work(std::unique_lock<std::mutex>& lock, const Batch& batch);
  void hand_over(std::unique_lock<std::mutex>& lock, event::Decoder& decoder);
  void flush_below(std::unique_lock<std::mutex>& lock);
  Result<void> note(std::unique_lock<std::mutex>& lock, Result<void> result);

  const BufferedSinkOptions options_;
  const std::size_t high_water_events_;
  const std::shared_ptr<EventSink> below_;  // called by the thread only

  mutable std::mutex mutex_;
  // Everything below is guarded by mutex_.
  State state_ = State::kNew;
  bool has_ended_ = true;     // the thread, so that joining it takes no time
  bool is_given_up_ = false;  // `stop` did not wait for it
  bool is_parents_ = false;   // this is a forked child
  std::thread thread_;
  std::deque<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  bool is_above_high_water_ = false;
  BufferedSinkStatistics statistics_;  // but for `queued` and the rate
  std::uint64_t refused_ = 0;          // of statistics_.dropped
  std::uint64_t handed_over_ = 0;      // or thrown away: of statistics_.emitted
  std::uint64_t flushes_wanted_ = 0;   // calls of `flush`
  std::uint64_t flushes_done_ = 0;
  std::uint64_t flush_after_ = 0;  // so many events must be handed over before
  Result<void> last_flush_;

  std::condition_variable wake_;  // the thread waits
  std::condition_variable room_;  // `emit` waits
  std::condition_variable done_;  // `flush`, `stop` and the destructor wait

  ForkGuard fork_guard_{mutex_, [this] { stop_in_child(); }};
};

void BufferedSink::Impl::stop_in_child() {
  leave_to_parent(thread_, wake_, room_, done_);
  state_ = State::kStopped;
  has_ended_ = true;
  is_parents_ = true;
  drop_queue();
  statistics_ = {};
  refused_ = 0;
}

BufferedSink::Impl::~Impl() {
  std::unique_lock lock(mutex_);
  state_ = State::kStopped;
  drop_queue();
  wake_.notify_one();
  if (!done_.wait_for(lock, bounded(options_.patience), [&] { return has_ended_; })) {
    lock.unlock();
    report({ErrorCode::kUnavailable,
            "sink '" + options_.name + "': the buffer before it waits for it to return"});
    lock.lock();
    done_.wait(lock, [&] { return has_ended_; });
  }
  lock.unlock();
  if (thread_.joinable()) thread_.join();
}

Result<void> BufferedSink::Impl::start() {
  const std::lock_guard lock(mutex_);
  const auto name = "sink '" + options_.name + "'";
  if (is_parents_) return fail(ErrorCode::kConflict, name + " belongs to the parent process");
  if (state_ == State::kRunning) return fail(ErrorCode::kConflict, name + " is running already");
  if (!has_ended_) {
    return fail(ErrorCode::kConflict, name + " has not returned since it was stopped");
  }
  if (thread_.joinable()) thread_.join();
  try {
    has_ended_ = false;
    is_given_up_ = false;
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& error) {
    has_ended_ = true;
    return fail(ErrorCode::kUnavailable,
                name + ": cannot start a thread: " + std::string(error.what()));
  }
  state_ = State::kRunning;
  return {};
}

Result<void> BufferedSink::Impl::stop(Stop how, milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const bool is_new = std::exchange(state_, State::kStopped) == State::kNew;
  if (is_new || how == Stop::kDrop) drop_queue();
  wake_.notify_one();
  room_.notify_all();
  if (!done_.wait_for(lock, bounded(timeout), [&] { return has_ended_; })) {
    is_given_up_ = true;
    const auto dropped = drop_queue();
    done_.notify_all();
    return fail(ErrorCode::kUnavailable, "sink '" + options_.name + "' is not back after " +
                                             std::to_string(timeout.count()) + " ms; " +
                                             std::to_string(dropped) +
                                             " queued events were dropped");
  }
  if (!thread_.joinable()) return {};
  thread_.join();
  return last_flush_;
}

/// A single event always fits.
bool BufferedSink::Impl::is_full(const Published& event) const {
  return !queue_.empty() && (queue_.size() >= options_.max_events ||
                             queued_bytes_ + event.line.size() > options_.max_bytes);
}

/// Whether this made the queue too high.
bool BufferedSink::Impl::put(const Published& event) {
  queue_.push_back({std::string(event.topic), std::string(event.line)});
  queued_bytes_ += event.line.size();
  ++statistics_.emitted;
  statistics_.last_emit_time = options_.clock->now();
  wake_.notify_one();
  if (is_above_high_water_ || queue_.size() < high_water_events_) return false;
  is_above_high_water_ = true;
  return true;
}

/// Counts an event that did not get into the queue.
void BufferedSink::Impl::refuse() {
  ++refused_;
  ++statistics_.dropped;
  statistics_.last_drop_time = options_.clock->now();
}

std::size_t BufferedSink::Impl::drop_queue() {
  const auto count = queue_.size();
  if (count > 0) statistics_.last_drop_time = options_.clock->now();
  statistics_.dropped += count;
  handed_over_ += count;
  queue_.clear();
  queued_bytes_ = 0;
  is_above_high_water_ = false;
  return count;
}

Result<void> BufferedSink::Impl::emit(const Published& event) {
  std::unique_lock lock(mutex_);
  if (state_ != State::kStopped && is_full(event)) {
    ++statistics_.queue_full_count;
    if (state_ == State::kNew) {
      refuse();
      return fail(ErrorCode::kExhausted,
                  "sink '" + options_.name + "': the buffer is full, and was not started");
    }
    room_.wait(lock, [&] { return state_ != State::kRunning || !is_full(event); });
  }
  if (state_ == State::kStopped) {
    refuse();
    return fail(ErrorCode::kCancelled, "sink '" + options_.name + "' is stopped");
  }
  const bool is_high = put(event);
  const auto queued = queue_.size();
  lock.unlock();
  if (is_high) tell(options_.on_high_water, queued);
  return {};
}

bool BufferedSink::Impl::try_emit(const Published& event) {
  std::unique_lock lock(mutex_);
  const bool is_running_full = state_ != State::kStopped && is_full(event);
  if (is_running_full) ++statistics_.queue_full_count;
  if (state_ == State::kStopped || is_running_full) {
    refuse();
    lock.unlock();
    tell(options_.on_drop, event);
    return false;
  }
  const bool is_high = put(event);
  const auto queued = queue_.size();
  lock.unlock();
  if (is_high) tell(options_.on_high_water, queued);
  return true;
}

Result<void> BufferedSink::Impl::flush() {
  std::unique_lock lock(mutex_);
  const auto stopped = [&] {
    return fail(ErrorCode::kCancelled, "sink '" + options_.name + "' is not running");
  };
  if (state_ != State::kRunning) return stopped();
  const auto ticket = ++flushes_wanted_;
  flush_after_ = statistics_.emitted;
  wake_.notify_one();
  done_.wait(lock, [&] { return flushes_done_ >= ticket || has_ended_ || is_given_up_; });
  return flushes_done_ >= ticket ? last_flush_ : stopped();
}

BufferedSinkStatistics BufferedSink::Impl::statistics() const {
  const std::lock_guard lock(mutex_);
  auto all = statistics_;
  all.queued = queue_.size();
  const auto offered = all.emitted + refused_;
  if (offered > 0) {
    const auto rate = 100.0 * static_cast<double>(all.dropped) / static_cast<double>(offered);
    all.drop_rate_percent = std::round(rate * 100) / 100;
  }
  return all;
}

void BufferedSink::Impl::work() {
  pthread_setname_np(pthread_self(), "weir-sink");
  event::Decoder decoder;
  Batch batch;
  std::unique_lock lock(mutex_);
  while (true) {
    wait_for_work(lock, batch);
    if (!queue_.empty()) {
      hand_over(lock, decoder);
      if (batch.events++ == 0) {
        batch.flush_at = SteadyClock::now() + bounded(options_.flush_interval);
      }
    }
    if (must_flush(batch)) {
      flush_below(lock);
      batch.events = 0;
    }
    if (state_ == State::kStopped && queue_.empty()) break;
  }
  has_ended_ = true;
  done_.notify_all();
}

void BufferedSink::Impl::wait_for_work(std::unique_lock<std::mutex>& lock, const Batch& batch) {
  const auto has_work = [&] {
    return !queue_.empty() || state_ == State::kStopped || flushes_wanted_ > flushes_done_;
  };
  if (batch.events == 0) {
    wake_.wait(lock, has_work);
  } else {
    wake_.wait_until(lock, batch.flush_at, has_work);
  }
}

bool BufferedSink::Impl::must_flush(const Batch& batch) const {
  if (state_ == State::kStopped && queue_.empty()) return true;
  if (flushes_wanted_ > flushes_done_ && handed_over_ >= flush_after_) return true;
  return batch.events > 0 &&
         (batch.events >= options_.batch_events || SteadyClock::now() >= batch.flush_at);
}

void BufferedSink::Impl::hand_over(std::unique_lock<std::mutex>& lock, event::Decoder& decoder) {
  const auto queued = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= queued.line.size();
  if (queue_.size() <= high_water_events_ / 2) is_above_high_water_ = false;
  room_.notify_all();
  lock.unlock();
  auto taken = call_caught([&]() -> Result<void> {
    WEIR_TRY(const auto* event, decoder.decode(queued.line));
    return below_->emit({queued.topic, *event, queued.line});
  });
  lock.lock();
  static_cast<void>(note(lock, std::move(taken)));
  ++handed_over_;
}

void BufferedSink::Impl::flush_below(std::unique_lock<std::mutex>& lock) {
  const auto wanted = handed_over_ >= flush_after_ ? flushes_wanted_ : flushes_done_;
  lock.unlock();
  auto flushed = call_caught([&] { return below_->flush(); });
  lock.lock();
  last_flush_ = note(lock, std::move(flushed));
  flushes_done_ = wanted;
  done_.notify_all();
}

/// Counts and tells an error of the sink below.
Result<void> BufferedSink::Impl::note(std::unique_lock<std::mutex>& lock, Result<void> result) {
  if (result) return result;
  auto error = std::move(result).error().within("sink '" + options_.name + "'");
  ++statistics_.errors;
  statistics_.last_error = error;
  lock.unlock();
  report(error);
  lock.lock();
  return std::unexpected(std::move(error));
}

BufferedSink::BufferedSink(std::shared_ptr<EventSink> below, BufferedSinkOptions options)
    : impl_(std::make_unique<Impl>(std::move(below), std::move(options))) {}
BufferedSink::~BufferedSink() = default;
Result<void> BufferedSink::start() { return impl_->start(); }
Result<void> BufferedSink::stop(Stop how, std::chrono::milliseconds timeout) {
  return impl_->stop(how, timeout);
}
Result<void> BufferedSink::emit(const Published& event) { return impl_->emit(event); }
bool BufferedSink::try_emit(const Published& event) { return impl_->try_emit(event); }
Result<void> BufferedSink::flush() { return impl_->flush(); }
BufferedSinkStatistics BufferedSink::statistics() const { return impl_->statistics(); }

}  // namespace weir::record
