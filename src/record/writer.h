#pragma once

#include <memory>
#include <string>
#include <vector>

#include "log/log_writer.h"
#include "record/recorder.h"

namespace weir::record {

struct Recorder::ThreadRing {
  explicit ThreadRing(std::size_t bytes) : ring(bytes) {}
  Ring ring;
  /// Set by the thread's end, after its last event. Pairs with the acquire load in Writer::drain.
  std::atomic<bool> closed{false};

  // Counters: stored by the thread alone, read by whoever asks.
  std::atomic<std::uint64_t> emitted{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> full{0};
  std::atomic<std::int64_t> last_emit_us{0};  // since 1970; 0: never
  std::atomic<std::int64_t> last_drop_us{0};

  /// Adds one to a counter of this thread: without the lock prefix that fetch_add has.
  static void count(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void count_drop(Timestamp now) {
    count(dropped);
    last_drop_us.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void add_to(RecorderStatistics& sum) const;
};

/// Before the fields of each record in a ring.
struct RecordHeader {
  Run* run;
  std::int64_t seq;
  Timestamp timestamp;
  event::Type type;
  event::Level level;
  bool spilled;  ///< a Spill follows instead of the fields
};

/// What stands in the ring instead of fields that are too large for it. The writer deletes it.
struct Spill {
  std::string* bytes;
};

/// The recorder's thread: from the rings to the log.
class Recorder::Writer {
 public:
  explicit Writer(Recorder& recorder)
      : recorder_(recorder),
        log_(std::make_unique<log::LogWriter>(recorder.store_, recorder.clock(),
                                              recorder.options_.log)) {}

  /// Until the recorder stops and everything is committed.
  void run();

 private:
  /// What the threads that call the recorder want of this one.
  struct Wishes {
    bool stop = false;
    bool commit_now = false;
    bool discard = false;
    std::uint64_t drains = 0;
  };

  [[nodiscard]] Wishes wait(bool idle);
  /// Takes everything out of the rings; false when they were empty.
  bool drain();
  void forget(const ThreadRing& ring);
  void take(std::span<const std::byte> record);
  void take_held(Run& run);
  void write_line(const RecordHeader& header, std::span<const std::byte> fields);
  static void append_head(std::string& out, const RecordHeader& header);
  [[nodiscard]] bool is_due() const;
  /// Commits what is pending and tells those who wait for it.
  void commit();
  void settle(const Result<void>& result);
  void tell_drained(std::uint64_t drains);

  // After a failure of the log.
  void lose_open_runs(const Error& error);
  void try_again();
  [[nodiscard]] Result<void> write_alert(log::LogWriter& log);

  // After a fatal signal.
  void drain_for_crash();
  void fill_holes(Run& run);

  Recorder& recorder_;
  std::unique_ptr<log::LogWriter> log_;  // null: it failed
  std::uint32_t finished_segments_ = 0;
  std::vector<std::shared_ptr<ThreadRing>> rings_;
  std::string pending_;  // lines of the next commit
  std::uint64_t pending_events_ = 0;
  std::vector<Run*> pending_runs_;  // whose events are in it; some more than once
  bool pending_is_urgent_ = false;  // not only of Durability::kMemory
  std::chrono::nanoseconds pending_since_{};
  std::uint64_t cut_ = 0;
  std::uint64_t commits_ = 0;

  // Since the log failed.
  std::string failure_message_;
  Timestamp failed_at_{};
  std::chrono::nanoseconds tried_at_{};
  std::uint64_t lost_events_ = 0;
  std::uint64_t lost_runs_ = 0;
};

}  // namespace weir::record
