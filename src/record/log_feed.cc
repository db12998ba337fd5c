#include "record/log_feed.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/exception.h"
#include "event/decoder.h"
#include "event/topic.h"
#include "record/fork_guard.h"

namespace weir::record {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// Of a sink whose time was over before: it may be about to return.
constexpr milliseconds kGrace{200};

}  // namespace

class LogFeed::Impl {
 public:
  Impl(log::StoreDirectory store, std::shared_ptr<EventSink> sink, LogFeedOptions options)
      : store_(std::move(store)),
        sink_(std::move(sink)),
        options_(std::move(options)),
        on_problem_(options_.on_problem),
        cursor_(options_.from) {}

  /// What somebody waits for.
  struct Finish {
    const log::Cursor goal;
    bool begun = false;                    // the thread's
    std::optional<Result<void>> result{};  // guarded by mutex_: it is done
  };
  using FinishPtr = std::shared_ptr<Finish>;

  [[nodiscard]] static Result<void> start(const std::shared_ptr<Impl>& self);
  void end();

  [[nodiscard]] Result<FinishPtr> begin_finish();
  [[nodiscard]] Result<void> wait_for(const FinishPtr& finish, milliseconds timeout,
                                      SteadyClock::time_point deadline);
  [[nodiscard]] LogFeedStatistics statistics() const;
  [[nodiscard]] log::Cursor cursor() const;

 private:
  void stop_in_child();  // under mutex_
  void run();
  void caught_up();
  [[nodiscard]] FinishPtr wanted_finish();
  void end_finish(const FinishPtr& finish, Result<void> result);
  [[nodiscard]] bool has_passed(const log::Cursor& goal) const;
  void deliver(const log::FollowedCommit& commit);
  void deliver_event(const event::EventView& event, std::string_view line);
  void failed(std::string message);
  void tell(const std::string& problem) const;

  const log::StoreDirectory store_;
  const std::shared_ptr<EventSink> sink_;
  const LogFeedOptions options_;

  mutable std::mutex tell_mutex_;
  std::function<void(const std::string&)> on_problem_;  // guarded by tell_mutex_

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  LogFeedStatistics statistics_;
  log::Cursor cursor_;
  std::vector<FinishPtr> finishes_;
  bool was_late_ = false;  // nobody has waited in vain since
  bool ended_ = false;

  std::atomic<bool> stopping_{false};  // a flag only

  /// The thread's.
  struct Reading {
    log::Follower follower;  // `wake` from any
    event::Decoder decoder{};
    std::string topic{};
  };
  std::unique_ptr<Reading> reading_;  // null in a forked child

  std::thread thread_;

  ForkGuard fork_guard_{mutex_, [this] { stop_in_child(); }};
};

Result<void> LogFeed::Impl::start(const std::shared_ptr<Impl>& self) {
  const auto& options = self->options_;
  WEIR_TRY(auto follower,
           log::Follower::open(self->store_, options.from,
                               [feed = self.get()](const log::FollowProblem& problem) {
                                 feed->failed(problem.segment.file_name() + ": at byte " +
                                              std::to_string(problem.offset) + ": " +
                                              problem.reason);
                               },
                               {.wants = options.is_writer,
                                .open_parts = options.open_parts,
                                .look_interval = options.look_interval}));
  self->reading_ = std::make_unique<Reading>(Reading{.follower = std::move(follower)});
  self->thread_ = std::thread([self] { self->run(); });
  return {};
}

void LogFeed::Impl::end() {
  if (!thread_.joinable()) return;  // it could not begin, or is the parent's
  stopping_ = true;
  reading_->follower.wake();
  std::unique_lock lock(mutex_);
  const auto patience = was_late_ ? std::min(kGrace, options_.patience) : options_.patience;
  const bool is_back = changed_.wait_for(lock, patience, [this] { return ended_; });
  const auto delivered = statistics_.delivered;
  lock.unlock();
  if (is_back) return thread_.join();
  thread_.detach();
  tell("'" + options_.name + "' is left behind after " + std::to_string(delivered) +
       " events: it has not come back from the next one");
  // Whom it told is about to be gone.
  const std::lock_guard tell_lock(tell_mutex_);
  on_problem_ = {};
}

/// What the thread reads with may be in the middle of a change.
void LogFeed::Impl::stop_in_child() {
  leave_to_parent(reading_, thread_, changed_, finishes_);
  stopping_ = true;
}

Result<LogFeed::Impl::FinishPtr> LogFeed::Impl::begin_finish() {
  if (!reading_) {
    return fail(ErrorCode::kConflict, "'" + options_.name + "' belongs to the parent process");
  }
  WEIR_TRY(auto rest, log::remainder(store_, cursor(), options_.is_writer));
  auto finish = std::make_shared<Finish>(Finish{.goal = std::move(rest.end)});
  {
    const std::lock_guard lock(mutex_);
    finishes_.push_back(finish);
  }
  reading_->follower.wake();
  return finish;
}

/// `timeout` is for the message.
Result<void> LogFeed::Impl::wait_for(const FinishPtr& finish, milliseconds timeout,
                                     SteadyClock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return finish->result.has_value(); });
  std::erase(finishes_, finish);
  was_late_ = !finish->result;
  if (auto result = finish->result) return *std::move(result);
  lock.unlock();
  const auto so_far = statistics();
  return fail(ErrorCode::kUnavailable, "'" + options_.name + "' has not taken everything within " +
                                           std::to_string(timeout.count()) + " ms: after " +
                                           std::to_string(so_far.delivered) + " events it is " +
                                           std::to_string(so_far.lag_bytes) +
                                           " bytes of the log behind; they stay there");
}

LogFeedStatistics LogFeed::Impl::statistics() const {
  std::unique_lock lock(mutex_);
  auto statistics = statistics_;
  const auto cursor = cursor_;
  lock.unlock();
  if (!reading_) return statistics;  // what is left is the parent's
  const auto rest = log::remainder(store_, cursor, options_.is_writer);
  if (rest) statistics.lag_bytes = rest->bytes;
  return statistics;
}

log::Cursor LogFeed::Impl::cursor() const {
  const std::lock_guard lock(mutex_);
  return cursor_;
}

void LogFeed::Impl::run() {
  pthread_setname_np(pthread_self(), "weir-feed");
  constexpr std::chrono::hours kUntilWoken{1};
  while (!stopping_) {
    const auto finish = wanted_finish();
    const auto got = reading_->follower.next(finish ? milliseconds(0) : kUntilWoken);
    if (!got) {
      failed(got.error().message);
      if (finish) end_finish(finish, std::unexpected(got.error()));
    } else if (const auto& commit = *got) {
      deliver(*commit);
      if (finish && has_passed(finish->goal)) end_finish(finish, {});
    } else {
      caught_up();
      if (finish) end_finish(finish, {});
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

/// All that the follower has delivered. Segments that are finished count as read, whatever a crash
/// has left in them.
void LogFeed::Impl::caught_up() {
  const std::lock_guard lock(mutex_);
  cursor_ = reading_->follower.cursor();
}

LogFeed::Impl::FinishPtr LogFeed::Impl::wanted_finish() {
  std::unique_lock lock(mutex_);
  auto finish = finishes_.empty() ? nullptr : finishes_.front();
  lock.unlock();
  if (finish && !finish->begun) {
    finish->begun = true;
    reading_->follower.look();
  }
  return finish;
}

void LogFeed::Impl::end_finish(const FinishPtr& finish, Result<void> result) {
  if (result) {
    result = call_caught([this] { return sink_->flush(); });
    if (!result) {
      failed(result.error().message);
      result = std::unexpected(std::move(result).error().within(options_.name));
    }
  }
  const std::lock_guard lock(mutex_);
  finish->result = std::move(result);
  std::erase(finishes_, finish);
  changed_.notify_all();
}

bool LogFeed::Impl::has_passed(const log::Cursor& goal) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(goal.positions, [this](const auto& entry) {
    return cursor_.of(entry.first) >= entry.second;
  });
}

void LogFeed::Impl::deliver(const log::FollowedCommit& commit) {
  for (auto lines = commit.lines; !lines.empty();) {
    if (stopping_) return;
    const auto line = lines.substr(0, lines.find('\n'));
    if (const auto event = reading_->decoder.decode(line)) {
      deliver_event(**event, line);
    } else {
      const auto offset = commit.begin + (commit.lines.size() - lines.size());
      failed((commit.is_of_parts
                  ? "in parts"
                  : commit.segment.file_name() + ": at byte " + std::to_string(offset)) +
             ": " + event.error().message);
    }
    lines.remove_prefix(line.size() + 1);
  }
  if (commit.is_of_parts) return caught_up();
  const std::lock_guard lock(mutex_);
  cursor_.positions.insert_or_assign(
      commit.segment.writer, log::Position{.segment = commit.segment.number, .offset = commit.end});
}

void LogFeed::Impl::deliver_event(const event::EventView& event, std::string_view line) {
  event::write_topic(event, reading_->topic);
  const Published published{.topic = reading_->topic, .event = event, .line = line};
  if (!options_.filter.accepts(published)) return;
  const auto taken = call_caught([&] { return sink_->emit(published); });
  if (!taken) return failed(taken.error().message);
  const std::lock_guard lock(mutex_);
  ++statistics_.delivered;
}

void LogFeed::Impl::failed(std::string message) {
  tell(options_.name + ": " + message);
  const std::lock_guard lock(mutex_);
  ++statistics_.errors;
  statistics_.last_error = std::move(message);
}

void LogFeed::Impl::tell(const std::string& problem) const {
  const std::lock_guard lock(tell_mutex_);
  if (on_problem_) on_problem_(problem);
}

LogFeed::LogFeed(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogFeed::~LogFeed() { impl_->end(); }

Result<std::unique_ptr<LogFeed>> LogFeed::start(log::StoreDirectory store,
                                                std::shared_ptr<EventSink> sink,
                                                LogFeedOptions options) {
  const auto impl = std::make_shared<Impl>(std::move(store), std::move(sink), std::move(options));
  WEIR_TRY(Impl::start(impl));
  return std::unique_ptr<LogFeed>(new LogFeed(impl));
}

Result<void> LogFeed::finish(milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  WEIR_TRY(const auto finish, impl_->begin_finish());
  return impl_->wait_for(finish, timeout, deadline);
}

std::vector<Result<void>> LogFeed::finish(std::span<const std::unique_ptr<LogFeed>> feeds,
                                          milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  std::vector<Result<Impl::FinishPtr>> begun;
  begun.reserve(feeds.size());
  for (const auto& feed : feeds) begun.push_back(feed->impl_->begin_finish());
  std::vector<Result<void>> results;
  results.reserve(feeds.size());
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    results.push_back(begun[i] ? feeds[i]->impl_->wait_for(*begun[i], timeout, deadline)
                               : std::unexpected(begun[i].error()));
  }
  return results;
}

LogFeedStatistics LogFeed::statistics() const { return impl_->statistics(); }
log::Cursor LogFeed::cursor() const { return impl_->cursor(); }

}  // namespace weir::record
