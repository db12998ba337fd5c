#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/event_lines.h"
#include "ingest/key_window.h"
#include "log/commit_buffer.h"
#include "log/log_writer.h"
#include "log/store_directory.h"
#include "record/sealer.h"

namespace weir::ingest {

struct InboxOptions {
  const Clock* clock = &system_clock();
  /// What may wait for the disk; then nothing more is taken.
  std::size_t max_waiting_bytes = std::size_t{32} << 20;
  std::size_t max_keys = KeyWindow::kMaxKeys;
  /// Under load a commit is what one request or two hold: less than the recorder's.
  log::LogWriterOptions log{.direct_from = std::size_t{128} << 10};
  /// Hears what its segments will be called, before the first of them has an event.
  std::function<void(const std::string&)> on_writer = [](const std::string&) {};
  /// Hears on a thread of the inbox what was cut off or quarantined when segments were sealed.
  std::function<void(const log::Salvage&)> on_salvage = [](const log::Salvage&) {};
};

/// What became of a request's events, all of which are on disk now.
struct Receipt {
  std::uint64_t stored = 0;
  std::uint64_t duplicates = 0;  ///< of keys that were there already
};

struct InboxStatistics {
  std::uint64_t stored = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t commits = 0;
  std::uint64_t refused = 0;  ///< events that came while too much waited
  std::uint64_t failed = 0;   ///< events that could not be written
  bool is_failing = false;    ///< the last commit could not be made
  std::size_t keys = 0;
  std::chrono::microseconds key_age{};  ///< how far back a duplicate is known
};

/// Takes the events of other systems to the log: numbers them, drops those that it has had, and
/// commits what came meanwhile at once.
///
///   submit ──┐
///   submit ──┼──► lines that wait ──► commit thread: write, fdatasync ──► done, done, done
///   submit ──┘
///
/// Threads    All functions from any thread. A thread for commits and one that seals finished
///            segments, joined by the destructor.
/// Durability What `done` is told is on disk; so is what it calls a duplicate.
/// Failure    When a commit fails, none of its events is taken, nor what came meanwhile, which may
///            be duplicates of them: whoever waits is told. The next commit tries a new segment.
class Inbox {
 public:
  using Done = std::move_only_function<void(Result<Receipt>)>;

  explicit Inbox(log::StoreDirectory store, InboxOptions options = {});
  /// Commits what waits.
  ~Inbox();
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /// Takes events that were in the log before this began: their keys are known, and numbers go on
  /// after `number`. Before the first submit.
  void remember(const EventKey& key, Timestamp arrived);
  void go_on_after(std::int64_t number);

  /// Takes the events; `done` is called once on the commit thread, or not at all when this returns
  /// an error: kExhausted when too much waits, kInvalidInput when it is more than a commit can
  /// hold, which no LineMaker makes, kCancelled after close().
  [[nodiscard]] Result<void> submit(const EventLines& lines, Done done);
  /// The same, and waits. Errors: those of submit and of the log.
  [[nodiscard]] Result<Receipt> commit(const EventLines& lines);

  /// Commits what waits; nothing more is taken.
  void close();

  [[nodiscard]] InboxStatistics statistics() const;
  /// The writer of the segment that is being written; empty: none yet.
  [[nodiscard]] std::string writer_name() const;

 private:
  struct Waiter {
    Receipt receipt;
    Done done;
  };
  /// What goes into the log at once.
  struct Batch {
    log::CommitBuffer lines;
    std::uint64_t events = 0;
    std::vector<Waiter> waiters;
  };

  void append(const EventLines& lines, Receipt& receipt);  // under mutex_
  void run();
  [[nodiscard]] Result<void> write(Batch& batch);
  void settle(Batch& batch, const Result<void>& written);

  const log::StoreDirectory store_;
  const InboxOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Batch waiting_;
  KeyWindow keys_;
  std::int64_t last_number_ = kLeastNumber;
  InboxStatistics counts_;
  std::string writer_name_;
  bool closed_ = false;

  // The commit thread's.
  std::optional<log::LogWriter> log_;

  record::Sealer sealer_;
  std::thread thread_;
};

}  // namespace weir::ingest
