#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "event/field_value.h"
#include "log/run_lock.h"
#include "record/line.h"
#include "record/run_fields.h"

namespace weir::record {

class Recorder;
struct ThreadRing;

/// A run of ours being recorded: owns its lock, gives its events their numbers.
///
/// End      Of what is emitted after an event that ends the run (event::ends_run), what may not
///          follow it (event::may_follow_end) is not recorded: a WARNING `log` stands in its place.
/// Threads  All functions from any thread; the destructor after all of them.
class Run {
 public:
  /// Commits what was emitted.
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Records an event. Copies what the fields name; waits while the thread's ring is full, and with
  /// Durability::kCommit for the commit. `fields` in any order, without those of RunFields.
  void emit(event::Type type, std::span<const event::FieldValue> fields) {
    emit(type, event::info(type).level, fields);
  }
  void emit(event::Type type, std::initializer_list<event::FieldValue> fields) {
    emit(type, std::span(fields.begin(), fields.size()));
  }
  /// With a level of its own, for log lines; and for Type::kCustom, whose name is the field
  /// event_type.
  void emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields);

  /// The same, but never waits: false when the ring was full and the event was dropped. For what a
  /// run can do without: a dropped event has no number, so it leaves no hole.
  bool try_emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields);

  /// Waits until everything emitted so far by this thread is on disk. Errors: those of the log.
  [[nodiscard]] Result<void> flush();

  /// Stop is requested when an event of this run could not be recorded: from then on none is.
  /// Callbacks run on the recorder's writer thread: they must not wait for it. In a forked child a
  /// token that is taken there says so; callbacks are not called.
  [[nodiscard]] std::stop_token lost() const { return lost_.get_token(); }

  [[nodiscard]] const RunId& id() const { return id_; }
  /// Of the events emitted so far, by any thread; 0: none was.
  [[nodiscard]] std::int64_t last_number() const {
    return emitted_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] const log::StoreDirectory& store() const;

 private:
  friend class Recorder;
  friend class Writer;
  friend class LiveRecorders;
  Run(Recorder& recorder, const RunFields& fields, log::RunLock lock);

  void add_constant(event::Field field, std::string_view text);
  /// As it may be written.
  [[nodiscard]] std::string masked(event::Field field, std::string_view text);
  [[nodiscard]] bool put(ThreadRing& ring, event::Type type, event::Level level,
                         std::span<const event::FieldValue> fields);
  void put_exactly(ThreadRing& ring, std::byte* room, event::Type type, event::Level level,
                   std::span<const event::FieldValue> fields, std::size_t fields_size);
  void publish(ThreadRing& ring, std::byte* room, std::size_t fields_size, event::Type type,
               event::Level level, bool spilled);

  Recorder* recorder_;
  const RunId id_;
  const Durability durability_;
  log::RunLock lock_;
  std::string head_;                      // of a line, from after the level to the number
  std::vector<RenderedField> constants_;  // the other fields of every line
  std::stop_source lost_;
  std::atomic<bool> ended_{false};  // nothing is taken any more: a flag only

  // Written by every emit, so on a line of its own.
  alignas(64) std::atomic<std::int64_t> emitted_{0};  // the last number given

  // Guarded by the recorder's mutex_.
  alignas(64) std::int64_t committed_ = 0;  // the last number on disk
  std::int64_t settled_ = 0;  // the last number that the writer is done with, on disk or dropped
  std::optional<Error> failure_;  // why it is lost

  // The writer thread's.
  std::int64_t written_ = 0;                  // the last number in the pending commit or before
  Timestamp last_time_{};                     // of the last line
  std::map<std::int64_t, std::string> held_;  // records that came before their predecessors
  bool is_lost_ = false;                      // changed under the mutex_
  bool has_ended_ = false;                    // by an event that it wrote
  event::RedactionCounts redacted_;           // in its constants: its first line says it
  bool says_redacted_ = false;
};

}  // namespace weir::record
