#include "ingest/inbox.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <utility>

namespace weir::ingest {

Inbox::Inbox(log::StoreDirectory store, InboxOptions options)
    : store_(std::move(store)),
      options_(std::move(options)),
      keys_(options_.max_keys),
      sealer_(store_, options_.on_salvage),
      thread_([this] { run(); }) {}

Inbox::~Inbox() {
  close();
  thread_.join();
}

void Inbox::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

void Inbox::remember(const EventKey& key, Timestamp arrived) {
  const std::lock_guard lock(mutex_);
  keys_.add(key, arrived);
}

void Inbox::go_on_after(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  last_number_ = std::max(last_number_, number);
}

Result<void> Inbox::submit(const EventLines& lines, Done done) {
  const auto size = lines.text.size();
  if (size > log::kMaxCommitBytes) {
    return fail(ErrorCode::kInvalidInput,
                "a request of " + std::to_string(size) + " bytes of events: send fewer at once");
  }
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(ErrorCode::kCancelled, "the server stops");
    const auto waiting = waiting_.lines.size();
    if (waiting > 0 && waiting + size > options_.max_waiting_bytes) {
      counts_.refused += lines.size();
      return fail(ErrorCode::kExhausted, "too much waits for the disk");
    }
    Receipt receipt;
    append(lines, receipt);
    waiting_.waiters.push_back({receipt, std::move(done)});
  }
  changed_.notify_one();
  return {};
}

void Inbox::append(const EventLines& lines, Receipt& receipt) {
  const auto now = options_.clock->now();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& place = lines.places[i];
    if (const auto later = i + KeyWindow::kAhead; later < lines.size()) {
      keys_.expect(lines.places[later].key);
    }
    if (!keys_.add(place.key, now)) {
      ++receipt.duplicates;
      continue;
    }
    last_number_ = std::max<std::int64_t>(now.time_since_epoch().count(), last_number_ + 1);
    const auto line = lines.line(i);
    auto* const out = waiting_.lines.room(line.size());
    line.copy(out, line.size());
    auto* const number = out + (place.number - place.begin);
    std::to_chars(number, number + kNumberDigits, last_number_);
    waiting_.lines.add(line.size());
    ++receipt.stored;
  }
  waiting_.events += receipt.stored;
}

Result<Receipt> Inbox::commit(const EventLines& lines) {
  std::promise<Result<Receipt>> promise;
  WEIR_TRY(submit(lines, [&](Result<Receipt> receipt) { promise.set_value(std::move(receipt)); }));
  return promise.get_future().get();
}

void Inbox::run() {
  pthread_setname_np(pthread_self(), "weir-inbox");
  Batch batch;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !waiting_.waiters.empty(); });
      if (waiting_.waiters.empty()) break;
      std::swap(batch, waiting_);
    }
    const auto written = batch.events > 0 ? write(batch) : Result<void>();
    settle(batch, written);
  }
  if (log_) log_->close();
  sealer_.wake(log_ ? log_->take_finished() : std::vector<log::FinishedSegment>());
}

Result<void> Inbox::write(Batch& batch) {
  if (!log_) {
    log_.emplace(store_, *options_.clock, options_.log);
    options_.on_writer(log_->name());
    const std::lock_guard lock(mutex_);
    writer_name_ = log_->name();
  }
  batch.lines.sum_up();
  auto written = log_->commit(batch.lines, batch.events);
  if (!written) log_.reset();
  if (auto finished = log_ ? log_->take_finished() : std::vector<log::FinishedSegment>();
      !finished.empty()) {
    sealer_.wake(finished);
  }
  return written;
}

/// What came meanwhile is lost with a batch that failed: it may hold duplicates of its events, and
/// of events of its own keys stand behind those of the batch.
void Inbox::settle(Batch& batch, const Result<void>& written) {
  Batch also;
  {
    const std::lock_guard lock(mutex_);
    counts_.is_failing = !written;
    if (written) {
      ++counts_.commits;
      counts_.stored += batch.events;
      for (const auto& waiter : batch.waiters) counts_.duplicates += waiter.receipt.duplicates;
    } else {
      std::swap(also, waiting_);
      keys_.forget_newest(batch.events + also.events);
      counts_.failed += batch.events + also.events;
    }
  }
  for (auto* waiters : {&batch.waiters, &also.waiters}) {
    for (auto& waiter : *waiters) {
      waiter.done(written ? Result<Receipt>(waiter.receipt) : std::unexpected(written.error()));
    }
    waiters->clear();
  }
  batch.lines.clear();
  batch.events = 0;
}

InboxStatistics Inbox::statistics() const {
  const std::lock_guard lock(mutex_);
  auto statistics = counts_;
  statistics.keys = keys_.size();
  statistics.key_age = keys_.age(options_.clock->now());
  return statistics;
}

std::string Inbox::writer_name() const {
  const std::lock_guard lock(mutex_);
  return writer_name_;
}

}  // namespace weir::ingest
