#include "server/live_feed.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "record/event_filter.h"
#include "store/history.h"

namespace weir::server {
namespace {

/// After a failure of the log.
constexpr std::chrono::seconds kPause{1};

}  // namespace

class Subscriber final : public LiveFeed::Subscription {
 public:
  Subscriber(Wanted wanted, std::string account)
      : wanted_(std::move(wanted)), account_(std::move(account)) {}

  [[nodiscard]] bool is_live() const override { return is_live_; }
  [[nodiscard]] LiveFeed::Taken take() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {.pieces = {}, .after = {}, .is_cut_off = waiting_.is_cut_off});
  }

  void begin() { is_live_ = true; }
  void cut_off() {
    const std::lock_guard lock(mutex_);
    waiting_.is_cut_off = true;
  }

  /// Of the commit that is read; then `end_commit`.
  void see(const event::EventView& event, std::string_view line, std::string& topic,
           FairBudget& budget) {
    if (is_full_ || !wanted_.has(event, topic)) return;
    if (!share_) share_ = std::make_unique<FairBudget::Share>(budget, account_);
    append_event(text_, event, line);
    is_full_ = !share_->grow_to(text_.size());
  }
  void end_commit(const log::FollowedCommit& commit,
                  const std::shared_ptr<const log::Cursor>& after) {
    const std::lock_guard lock(mutex_);
    // Who was cut off goes on after what he was given.
    if (std::exchange(is_full_, false)) waiting_.is_cut_off = true;
    auto text = std::exchange(text_, {});
    auto share = std::exchange(share_, {});
    if (waiting_.is_cut_off) return;
    waiting_.after = after;
    if (text.empty()) return;
    waiting_.pieces.push_back({.writer = commit.segment.writer,
                               .end = {.segment = commit.segment.number, .offset = commit.end},
                               .text = std::move(text),
                               .after = after,
                               .share = std::move(share)});
  }

 private:
  const Wanted wanted_;
  const std::string account_;
  std::atomic<bool> is_live_{false};
  // Of weir-live:
  std::string text_;
  std::unique_ptr<FairBudget::Share> share_;
  bool is_full_ = false;

  std::mutex mutex_;
  LiveFeed::Taken waiting_;  // guarded by mutex_
};
using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

bool Wanted::has(const event::EventView& event, std::string& topic_text) const {
  if (!tenant_id.empty() && event.text(event::Field::kTenantId) != tenant_id) return false;
  if (run && event.run_id() != *run) return false;
  if (record::level_of(event) < level) return false;
  if (!topic) return true;
  if (topic_text.empty()) event::write_topic(event, topic_text);
  return topic->matches(topic_text);
}

void append_event(std::string& text, const event::EventView& event, std::string_view line) {
  text.append("event: ").append(event.type_name());
  text.append("\ndata: ").append(line).append("\n\n");
}

struct LiveFeed::Impl {
  explicit Impl(log::StoreDirectory the_store) : store(std::move(the_store)) {}

  void run();
  void follow(log::Follower& reader);
  [[nodiscard]] bool deliver_next(log::Follower& reader);
  void deliver(const log::FollowedCommit& commit, const log::Cursor& after);
  Subscribers all();

  const log::StoreDirectory store;
  FairBudget budget{kMaxWaitingBytes};
  event::Decoder decoder;  // of weir-live
  std::string topic;       // of weir-live
  std::thread thread;

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex:
  std::vector<std::weak_ptr<Subscriber>> subscribers;
  log::Follower* follower = nullptr;  // while it reads
  bool is_stopped = false;
};

LiveFeed::LiveFeed(const log::StoreDirectory& store) : impl_(std::make_unique<Impl>(store)) {
  impl_->thread = std::thread([impl = impl_.get()] {
    ::pthread_setname_np(::pthread_self(), "weir-live");
    impl->run();
  });
}

LiveFeed::~LiveFeed() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_stopped = true;
    if (impl_->follower != nullptr) impl_->follower->wake();
  }
  impl_->changed.notify_one();
  impl_->thread.join();
}

std::shared_ptr<LiveFeed::Subscription> LiveFeed::subscribe(const Wanted& wanted,
                                                            std::string account) {
  auto subscriber = std::make_shared<Subscriber>(wanted, std::move(account));
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->subscribers.push_back(subscriber);
    if (impl_->follower != nullptr) subscriber->begin();
  }
  impl_->changed.notify_one();
  return subscriber;
}

/// Those that are still there. Under the mutex.
Subscribers LiveFeed::Impl::all() {
  Subscribers there;
  std::erase_if(subscribers, [&](const auto& one) {
    auto subscriber = one.lock();
    if (subscriber) there.push_back(std::move(subscriber));
    return one.expired();
  });
  return there;
}

void LiveFeed::Impl::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return is_stopped || !subscribers.empty(); });
    if (is_stopped) return;
    lock.unlock();
    auto from = log::end_of_log(store);
    auto opened =
        from ? log::Follower::open(store, *std::move(from), [](const log::FollowProblem&) {},
                                   {.open_parts = store::open_parts})
             : Result<log::Follower>(std::unexpected(std::move(from).error()));
    if (opened) follow(*opened);
    lock.lock();
    if (!opened) changed.wait_for(lock, kPause, [this] { return is_stopped; });
  }
}

/// False: what comes next cannot be read, or comes of parts, and has no place in a writer's
/// segments.
bool LiveFeed::Impl::deliver_next(log::Follower& reader) {
  const auto read = reader.next(std::chrono::seconds(1));
  if (!read) return false;
  const auto& commit = *read;
  if (!commit) return true;
  if (commit->is_of_parts) return false;
  deliver(*commit, reader.cursor());
  return true;
}

/// Until nobody is there, or the log cannot be read.
void LiveFeed::Impl::follow(log::Follower& reader) {
  std::unique_lock lock(mutex);
  follower = &reader;
  for (const auto& subscriber : all()) subscriber->begin();
  bool goes_on = true;
  while (goes_on && !is_stopped && !all().empty()) {
    lock.unlock();
    goes_on = deliver_next(reader);
    lock.lock();
  }
  follower = nullptr;
  for (const auto& subscriber : all()) subscriber->cut_off();
  subscribers.clear();
}

void LiveFeed::Impl::deliver(const log::FollowedCommit& commit, const log::Cursor& after) {
  Subscribers there;
  {
    const std::lock_guard lock(mutex);
    there = all();
  }
  for (auto lines = commit.lines; !lines.empty();) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const auto event = decoder.decode(line);
    if (!event) continue;
    topic.clear();
    for (const auto& subscriber : there) subscriber->see(**event, line, topic, budget);
  }
  const auto place = std::make_shared<const log::Cursor>(after);
  for (const auto& subscriber : there) subscriber->end_commit(commit, place);
}

}  // namespace weir::server
