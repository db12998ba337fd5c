#pragma once

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
      : recorder_(recorder), log_(recorder.store_, recorder.clock()) {}

  /// Until the recorder stops and everything is committed.
  void run();

 private:
  /// What the threads that call the recorder want of this one.
  struct Wishes {
    bool stop = false;
    bool commit_now = false;
  };

  [[nodiscard]] Wishes wait(bool idle);
  /// Takes everything out of the rings; false when they were empty.
  bool drain();
  void take(std::span<const std::byte> record);
  void write_line(const RecordHeader& header, std::span<const std::byte> fields);
  [[nodiscard]] bool is_due() const;
  /// Commits what is pending and tells those who wait for it. After the log has failed, only tells.
  void commit();

  Recorder& recorder_;
  log::LogWriter log_;
  std::vector<std::shared_ptr<ThreadRing>> rings_;
  std::string pending_;  // lines of the next commit
  std::uint64_t pending_events_ = 0;
  std::vector<Run*> pending_runs_;  // whose events are in it; some more than once
  std::chrono::nanoseconds pending_since_{};
  bool failed_ = false;
};

}  // namespace weir::record
