#include "engine/signal_feed.h"

#include <pthread.h>

#include <chrono>
#include <utility>

namespace weir::engine {

using event::Type;

/// Most lines are no signals: whoever cannot be one is not decoded.
constexpr std::string_view kMark = "\"event_type\":\"signal_requested\"";

Result<std::unique_ptr<SignalFeed>> SignalFeed::start(record::Recorder& recorder,
                                                      std::optional<log::Cursor> from) {
  const auto others = [own = recorder.own_writers()](std::string_view writer) {
    return !own(writer);
  };
  if (!from) {
    WEIR_TRY(from, log::end_of_log(recorder.store(), others));
  }
  WEIR_TRY(auto follower, log::Follower::open(recorder.store(), *std::move(from),
                                              [](const log::FollowProblem&) {}, {.wants = others}));
  return std::unique_ptr<SignalFeed>(new SignalFeed(recorder, std::move(follower)));
}

SignalFeed::SignalFeed(record::Recorder& recorder, log::Follower follower)
    : recorder_(recorder), follower_(std::move(follower)), thread_([this] { follow(); }) {}

SignalFeed::~SignalFeed() {
  stopping_ = true;
  follower_.wake();
  thread_.join();
}

void SignalFeed::subscribe(const RunId& run, std::string tenant_id, Handler handler) {
  std::vector<SignalRequest> early;
  {
    const std::lock_guard lock(mutex_);
    subscribers_[run] = std::make_shared<Subscriber>(std::move(tenant_id), std::move(handler));
    std::erase_if(unclaimed_, [&](SignalRequest& request) {
      if (request.run != run || !subscribers_[run]->is_meant(request)) return false;
      early.push_back(std::move(request));
      return true;
    });
  }
  for (auto& request : early) static_cast<void>(hand_over(std::move(request)));
}

void SignalFeed::unsubscribe(const RunId& run) {
  std::unique_lock lock(mutex_);
  const auto found = subscribers_.find(run);
  if (found == subscribers_.end()) return;
  const auto subscriber = found->second;
  subscribers_.erase(found);
  called_.wait(lock, [&] { return subscriber->calls == 0; });
}

Result<void> SignalFeed::ask(SignalRequest request, const artifact::ArtifactStore& artifacts) {
  request.tenant_id = tenant_of(request.run);
  WEIR_TRY(record_request(request, recorder_, artifacts));
  const auto run = request.run;
  if (hand_over(std::move(request))) return {};
  return fail(ErrorCode::kNotFound, "run " + run.text() + " is not here");
}

void SignalFeed::follow() {
  pthread_setname_np(pthread_self(), "weir-requests");
  while (!stopping_) {
    const auto next = follower_.next(std::chrono::hours(1));
    if (!next) {
      // A segment or the folder cannot be read: it is tried again, not at once.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    } else if (const auto& commit = *next) {
      read(commit->lines);
    }
  }
}

void SignalFeed::read(std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (!line.contains(kMark)) continue;
    const auto event = decoder_.decode(line);
    if (!event || (*event)->type() != Type::kSignalRequested) continue;
    static_cast<void>(hand_over(read_signal(**event), IfNobody::kKeep));
  }
}

std::string SignalFeed::tenant_of(const RunId& run) {
  const std::lock_guard lock(mutex_);
  const auto found = subscribers_.find(run);
  return found == subscribers_.end() ? std::string() : found->second->tenant_id;
}

bool SignalFeed::hand_over(SignalRequest request, IfNobody if_nobody) {
  std::shared_ptr<Subscriber> subscriber;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscribers_.find(request.run);
    if (found == subscribers_.end()) {
      if (if_nobody == IfNobody::kKeep) unclaimed_.push_back(std::move(request));
      if (unclaimed_.size() > kMaxUnclaimed) unclaimed_.pop_front();
      return false;
    }
    if (!found->second->is_meant(request)) return false;
    subscriber = found->second;
    ++subscriber->calls;
  }
  subscriber->handler(std::move(request));
  {
    const std::lock_guard lock(mutex_);
    --subscriber->calls;
  }
  called_.notify_all();
  return true;
}

}  // namespace weir::engine
