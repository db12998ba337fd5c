#include "record/log_feed.h"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "event/topic.h"

namespace weir::record {
namespace {

/// What is called there is somebody else's: it may throw.
template <class Call>
Result<void> guarded(const Call& call) {
  try {
    return call();
  } catch (const std::exception& exception) {
    return fail(ErrorCode::kUnavailable, std::string("it threw: ") + exception.what());
  } catch (...) {
    return fail(ErrorCode::kUnavailable, "it threw something that is no std::exception");
  }
}

}  // namespace

LogFeed::LogFeed(log::StoreDirectory store, EventSink& sink, LogFeedOptions options)
    : store_(std::move(store)), sink_(sink), options_(std::move(options)), cursor_(options_.from) {}

Result<std::unique_ptr<LogFeed>> LogFeed::start(log::StoreDirectory store, EventSink& sink,
                                                LogFeedOptions options) {
  std::unique_ptr<LogFeed> feed(new LogFeed(std::move(store), sink, std::move(options)));
  WEIR_TRY(auto follower,
           log::Follower::open(
               feed->store_, feed->options_.from,
               [self = feed.get()](const log::FollowProblem& problem) {
                 self->failed(problem.segment.file_name() + ": at byte " +
                              std::to_string(problem.offset) + ": " + problem.reason);
               },
               {.wants = feed->options_.is_writer, .look_interval = feed->options_.look_interval}));
  feed->reading_ = std::make_unique<Reading>(Reading{.follower = std::move(follower)});
  feed->thread_ = std::thread([self = feed.get()] { self->run(); });
  return feed;
}

LogFeed::~LogFeed() {
  if (!thread_.joinable()) return;  // it could not begin, or is the parent's
  stopping_ = true;
  reading_->follower.wake();
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, options_.patience, [this] { return ended_; })) {
      lock.unlock();
      tell("waits for '" + options_.name + "', which has not come back from an event for " +
           std::to_string(options_.patience.count()) + " ms");
    }
  }
  thread_.join();
}

/// What the thread reads with may be in the middle of a change.
void LogFeed::stop_in_child() {
  leave_to_parent(reading_, thread_, changed_, one_finish_);
  stopping_ = true;
}

Result<void> LogFeed::finish(std::chrono::milliseconds timeout) {
  if (!reading_) {
    return fail(ErrorCode::kConflict, "'" + options_.name + "' belongs to the parent process");
  }
  const std::lock_guard turn(one_finish_);
  WEIR_TRY(auto rest, log::remainder(store_, cursor(), options_.is_writer));
  const auto finish = std::make_shared<Finish>(Finish{.goal = std::move(rest.end)});
  std::unique_lock lock(mutex_);
  finish_ = finish;
  reading_->follower.wake();
  changed_.wait_for(lock, timeout, [&] { return finish->result.has_value(); });
  finish_.reset();
  if (auto result = finish->result) return *std::move(result);
  lock.unlock();
  return fail(ErrorCode::kUnavailable,
              "'" + options_.name + "' has not taken everything within " +
                  std::to_string(timeout.count()) +
                  " ms: " + std::to_string(statistics().lag_bytes) +
                  " bytes of the log are not delivered; they stay in the log");
}

LogFeedStatistics LogFeed::statistics() const {
  std::unique_lock lock(mutex_);
  auto statistics = statistics_;
  const auto cursor = cursor_;
  lock.unlock();
  if (!reading_) return statistics;  // what is left is the parent's
  const auto rest = log::remainder(store_, cursor, options_.is_writer);
  if (rest) statistics.lag_bytes = rest->bytes;
  return statistics;
}

log::Cursor LogFeed::cursor() const {
  const std::lock_guard lock(mutex_);
  return cursor_;
}

void LogFeed::run() {
  pthread_setname_np(pthread_self(), "weir-feed");
  constexpr std::chrono::hours kUntilWoken{1};
  while (!stopping_) {
    const auto finish = wanted_finish();
    const auto got = reading_->follower.next(finish ? std::chrono::milliseconds(0) : kUntilWoken);
    if (!got) {
      failed(got.error().message);
      if (finish) end_finish(*finish, std::unexpected(got.error()));
    } else if (const auto& commit = *got) {
      deliver(*commit);
      if (finish && has_passed(finish->goal)) end_finish(*finish, {});
    } else {
      caught_up();
      if (finish) end_finish(*finish, {});
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

/// Segments that are finished count as read, whatever a crash has left in them.
void LogFeed::caught_up() {
  const std::lock_guard lock(mutex_);
  cursor_ = reading_->follower.cursor();
}

std::shared_ptr<LogFeed::Finish> LogFeed::wanted_finish() {
  std::unique_lock lock(mutex_);
  auto finish = finish_ && !finish_->result ? finish_ : nullptr;
  lock.unlock();
  if (finish && !finish->begun) {
    finish->begun = true;
    reading_->follower.look();
  }
  return finish;
}

void LogFeed::end_finish(Finish& finish, Result<void> result) {
  if (result) {
    result = guarded([this] { return sink_.flush(); });
    if (!result) result = std::unexpected(std::move(result).error().within(options_.name));
    if (!result) failed(result.error().message);
  }
  const std::lock_guard lock(mutex_);
  finish.result = std::move(result);
  changed_.notify_all();
}

bool LogFeed::has_passed(const log::Cursor& goal) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(goal.positions, [this](const auto& entry) {
    return cursor_.of(entry.first) >= entry.second;
  });
}

void LogFeed::deliver(const log::FollowedCommit& commit) {
  for (auto lines = commit.lines; !lines.empty();) {
    if (stopping_) return;
    const auto line = lines.substr(0, lines.find('\n'));
    auto taken = deliver_line(line);
    if (taken) {
      const std::lock_guard lock(mutex_);
      ++statistics_.delivered;
    } else {
      const auto offset = commit.begin + (commit.lines.size() - lines.size());
      failed(commit.segment.file_name() + ": at byte " + std::to_string(offset) + ": " +
             taken.error().message);
    }
    lines.remove_prefix(line.size() + 1);
  }
  const std::lock_guard lock(mutex_);
  cursor_.positions.insert_or_assign(
      commit.segment.writer, log::Position{.segment = commit.segment.number, .offset = commit.end});
}

Result<void> LogFeed::deliver_line(std::string_view line) {
  WEIR_TRY(const auto* event, reading_->decoder.decode(line));
  event::write_topic(*event, reading_->topic);
  auto taken = guarded(
      [&] { return sink_.emit({.topic = reading_->topic, .event = *event, .line = line}); });
  if (!taken) return std::unexpected(std::move(taken).error().within(options_.name));
  return taken;
}

void LogFeed::failed(std::string message) {
  tell(message);
  const std::lock_guard lock(mutex_);
  ++statistics_.errors;
  statistics_.last_error = std::move(message);
}

void LogFeed::tell(const std::string& problem) const {
  if (options_.on_problem) options_.on_problem(problem);
}

}  // namespace weir::record
