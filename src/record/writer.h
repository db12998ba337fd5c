#pragma once

#include <memory>
#include <string>
#include <vector>

#include "log/log_writer.h"
#include "log/loss_note.h"
#include "record/commit_thread.h"
#include "record/field_redaction.h"
#include "record/line.h"
#include "record/recorder.h"

namespace weir::record {

struct ThreadRing {
  explicit ThreadRing(std::size_t bytes) : ring(bytes) {}
  Ring ring;
  /// Set by the thread's end, after its last event. Pairs with the acquire load in Writer::drain.
  std::atomic<bool> closed{false};

  // Counters: stored by the thread alone, read by whoever asks.
  std::atomic<std::uint64_t> emitted{0};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> full{0};
  std::atomic<std::int64_t> last_drop_us{0};  // since 1970; 0: never
  /// Stored by the writer, so on a cache line of its own.
  alignas(64) std::atomic<std::int64_t> last_emit_us{0};

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
  std::uint64_t stamp;  ///< ticks, or microseconds since 1970
  event::Type type;
  event::Level level;
  bool spilled;  ///< a Spill follows instead of the fields
};

/// What stands in the ring instead of fields that are too large for it. The writer deletes it.
struct Spill {
  std::string* bytes;
};

/// The recorder's thread: from the rings to the log.
class Writer {
 public:
  explicit Writer(Recorder& recorder);

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
  void choose_pause(std::size_t drained);
  void take_new_rings();
  /// Takes everything out of the rings; false when they were empty.
  std::size_t drain();
  std::size_t drain_some(ThreadRing& ring);
  void forget(const ThreadRing& ring);
  void take(const RecordHeader& header, std::string_view fields);
  void take_held(Run& run);
  void write_line(const RecordHeader& header, std::string_view fields);
  void write_late(const RecordHeader& header);
  [[nodiscard]] Timestamp time_of(const RecordHeader& header) const;
  [[nodiscard]] Timestamp time_in_run(const RecordHeader& header) const;
  [[nodiscard]] bool is_due() const;

  // From the pending batch to the disk.
  /// Whoever waits is told as soon as possible: on this thread. Waits for the batch before.
  void commit_here();
  /// Goes on with the next batch meanwhile. Waits for the batch before.
  void commit_beside();
  void close_batch();
  /// Waits for the batch that is on its way, if there is one.
  void finish_commit();
  [[nodiscard]] Result<void> write(Batch& batch);  // on either thread
  void settle(const Batch& batch, bool committed);
  void tell_drained(std::uint64_t drains);

  // After a failure of the log.
  void handle_failure(const Batch& batch, const Error& error);
  void lose_open_runs(const Error& error);
  void try_again();
  /// What recorders that are gone could not write: the first thing in our log.
  void report_losses();
  [[nodiscard]] Result<void> write_alert(log::LogWriter& log, const log::Loss& loss,
                                         std::string_view what_then);
  void note_loss();
  [[nodiscard]] std::unique_ptr<log::LogWriter> make_log();

  // After a fatal signal.
  void drain_for_crash();
  void fill_holes(Run& run);

  Recorder& recorder_;
  std::chrono::nanoseconds pause_{};  // before the rings are looked at again
  LineRenderer renderer_;
  FieldRedactor redactor_;
  std::vector<std::shared_ptr<ThreadRing>> rings_;
  Batch pending_;                   // the next commit
  bool pending_is_urgent_ = false;  // not only of Durability::kMemory
  std::chrono::nanoseconds pending_since_{};
  std::uint64_t cut_ = 0;
  std::uint64_t late_ = 0;

  // Of whoever writes a batch: the commit thread while it is busy.
  std::unique_ptr<log::LogWriter> log_;  // null: it failed

  // Since the log failed.
  std::optional<log::LossNote> note_;  // none: there was no room for it
  log::Loss loss_;
  std::chrono::nanoseconds tried_at_{};

  CommitThread commits_;  // the last: its thread uses the others
};

}  // namespace weir::record
