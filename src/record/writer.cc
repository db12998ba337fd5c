#include "record/writer.h"

#include <pthread.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <thread>

#include "base/json.h"
#include "log/segment.h"
#include "record/process_end.h"
#include "record/sealer.h"

namespace weir::record {
namespace {

/// How long an event of Durability::kMemory may wait.
constexpr std::chrono::milliseconds kMemoryInterval{200};
/// However much the options say, and with the event that comes on top, a commit stays in its limit.
constexpr std::size_t kMaxPending = log::kMaxCommitBytes - 2 * log::kMaxEventBytes;

}  // namespace

void Recorder::ThreadRing::add_to(RecorderStatistics& sum) const {
  const auto later = [](std::optional<Timestamp>& known, std::int64_t us) {
    const Timestamp time{std::chrono::microseconds(us)};
    if (us != 0 && (!known || *known < time)) known = time;
  };
  sum.emitted += emitted.load(std::memory_order_relaxed);
  sum.dropped += dropped.load(std::memory_order_relaxed);
  sum.full += full.load(std::memory_order_relaxed);
  later(sum.last_emit, last_emit_us.load(std::memory_order_relaxed));
  later(sum.last_drop, last_drop_us.load(std::memory_order_relaxed));
}

void Recorder::Writer::run() {
  pthread_setname_np(pthread_self(), "weir-writer");
  LiveRecorders::mark_writer_thread();
  bool idle = false;
  while (true) {
    const auto wishes = wait(idle);
    if (wishes.discard) lose_open_runs({ErrorCode::kCancelled, "recording was stopped"});
    const bool drained = drain();
    idle = !drained;
    if (!pending_runs_.empty() && (wishes.stop || wishes.commit_now || is_due())) commit();
    if (!drained && pending_runs_.empty()) tell_drained(wishes.drains);
    if (recorder_.crashing_.load()) drain_for_crash();
    if (!log_ && recorder_.clock().monotonic() - tried_at_ >= recorder_.options_.retry_interval) {
      try_again();
    }
    if (wishes.stop && !drained) return;
  }
}

/// Sleeps when the rings were empty: a fraction of the commit interval while runs are open, so that
/// emitting need not wake anybody, and otherwise until called.
Recorder::Writer::Wishes Recorder::Writer::wait(bool idle) {
  std::unique_lock lock(recorder_.mutex_);
  const auto called = [&] { return recorder_.woken_ || recorder_.stopping_; };
  if (idle && (!recorder_.open_runs_.empty() || !pending_runs_.empty())) {
    recorder_.wake_.wait_for(lock, recorder_.options_.commit_interval / 5, called);
  } else if (idle && !log_) {
    recorder_.wake_.wait_for(lock, recorder_.options_.retry_interval, called);
  } else if (idle) {
    recorder_.wake_.wait(lock, called);
  }
  recorder_.woken_ = false;
  for (auto& ring : recorder_.new_rings_) rings_.push_back(std::move(ring));
  recorder_.new_rings_.clear();
  return {.stop = recorder_.stopping_,
          .commit_now = recorder_.waiting_ > 0 || recorder_.drains_wanted_ > recorder_.drains_done_,
          .discard = recorder_.discarding_,
          .drains = recorder_.drains_wanted_};
}

bool Recorder::Writer::drain() {
  bool any = false;
  std::erase_if(rings_, [&](const std::shared_ptr<ThreadRing>& ring) {
    const bool closed = ring->closed.load(std::memory_order_acquire);
    for (auto record = ring->ring.next(); record.data() != nullptr; record = ring->ring.next()) {
      any = true;
      take(record);
      if (pending_.size() >= recorder_.options_.commit_bytes) {
        ring->ring.release();
        commit();
      }
    }
    ring->ring.release();
    if (closed) forget(*ring);
    return closed;
  });
  return any;
}

void Recorder::Writer::forget(const ThreadRing& ring) {
  const std::lock_guard lock(recorder_.mutex_);
  ring.add_to(recorder_.past_);
  std::erase_if(recorder_.rings_, [&](const auto& known) { return known.get() == &ring; });
}

/// Writes the record's line if it is its run's next, and those that waited for it; keeps it
/// otherwise.
void Recorder::Writer::take(std::span<const std::byte> record) {
  RecordHeader header{};
  std::memcpy(&header, record.data(), sizeof header);
  auto& run = *header.run;
  if (header.seq != run.written_ + 1) {
    run.held_.emplace(header.seq,
                      std::string(reinterpret_cast<const char*>(record.data()), record.size()));
    return;
  }
  write_line(header, record.subspan(sizeof header));
  take_held(run);
}

void Recorder::Writer::take_held(Run& run) {
  while (!run.held_.empty() && run.held_.begin()->first == run.written_ + 1) {
    const auto node = run.held_.extract(run.held_.begin());
    const auto bytes = std::as_bytes(std::span(node.mapped()));
    RecordHeader header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    write_line(header, bytes.subspan(sizeof header));
  }
}

/// `{"timestamp":…,"run_seq":N`
void Recorder::Writer::append_head(std::string& out, const RecordHeader& header) {
  char timestamp[kRfc3339Size];
  format_rfc3339(header.timestamp, timestamp);
  char number[24];
  const auto number_end = std::to_chars(number, number + sizeof number, header.seq).ptr;
  out.append("{\"timestamp\":\"").append(timestamp, sizeof timestamp);
  out.append("\",\"event_type\":\"").append(event::info(header.type).name);
  out.append("\",\"level\":\"").append(event::to_string(header.level)).append("\"");
  out.append(header.run->head_).append(number, number_end);
}

void Recorder::Writer::write_line(const RecordHeader& header, std::span<const std::byte> fields) {
  auto& run = *header.run;
  std::unique_ptr<std::string> spilled;
  if (header.spilled) {
    Spill spill{};
    std::memcpy(&spill, fields.data(), sizeof spill);
    spilled.reset(spill.bytes);
    fields = std::as_bytes(std::span(*spilled));
  }
  if (pending_.size() >= kMaxPending) commit();
  run.written_ = header.seq;
  if (pending_runs_.empty()) pending_since_ = recorder_.clock().monotonic();
  if (pending_runs_.empty() || pending_runs_.back() != &run) pending_runs_.push_back(&run);
  pending_is_urgent_ = pending_is_urgent_ || run.durability_ != Durability::kMemory;
  if (run.is_lost_) {
    ++lost_events_;
    return;
  }
  ++pending_events_;

  const auto begin = pending_.size();
  append_head(pending_, header);
  const auto members = pending_.size();
  append_members(pending_, fields, run.constants_);
  pending_.append("}\n");
  if (pending_.size() - begin > log::kMaxEventBytes) {
    pending_.resize(members);
    append_cut_members(pending_, fields, run.constants_);
    pending_.append("}\n");
    ++cut_;
  }
}

bool Recorder::Writer::is_due() const {
  const auto waited = recorder_.clock().monotonic() - pending_since_;
  return waited >= (pending_is_urgent_ ? recorder_.options_.commit_interval / 2 : kMemoryInterval);
}

void Recorder::Writer::commit() {
  Result<void> result;
  if (pending_events_ > 0) {
    result = log_->commit(pending_, pending_events_);
    ++commits_;
  }
  if (!result) {
    failure_message_ = result.error().message;
    failed_at_ = recorder_.clock().now();
    tried_at_ = recorder_.clock().monotonic();
    lost_events_ += pending_events_;
    log_.reset();
    finished_segments_ = 0;
    recorder_.sealer_->wake();
    lose_open_runs(result.error());
  } else if (log_ && log_->finished_segments() > finished_segments_) {
    finished_segments_ = log_->finished_segments();
    recorder_.sealer_->wake();
  }
  settle(result);
  pending_.clear();
  pending_events_ = 0;
  pending_runs_.clear();
  pending_is_urgent_ = false;
}

void Recorder::Writer::settle(const Result<void>& result) {
  {
    // Under the lock to the end: a run may be gone as soon as its destructor gets it.
    const std::lock_guard lock(recorder_.mutex_);
    for (auto* run : pending_runs_) {
      if (result && !run->is_lost_) run->committed_ = run->written_;
      run->settled_ = run->written_;
    }
    recorder_.past_.cut = cut_;
    recorder_.past_.commits = commits_;
  }
  recorder_.settled_.notify_all();
}

void Recorder::Writer::tell_drained(std::uint64_t drains) {
  {
    const std::lock_guard lock(recorder_.mutex_);
    if (recorder_.drains_done_ >= drains) return;
    recorder_.drains_done_ = drains;
  }
  recorder_.settled_.notify_all();
}

/// Tells every run that is open now. Their callbacks are called without the lock: what they stop
/// may want it.
void Recorder::Writer::lose_open_runs(const Error& error) {
  std::vector<std::stop_source> told;
  {
    const std::lock_guard lock(recorder_.mutex_);
    if (error.code != ErrorCode::kCancelled) recorder_.failure_ = error;
    for (auto* run : recorder_.open_runs_) {
      if (run->is_lost_) continue;
      run->is_lost_ = true;
      run->failure_ = error;
      run->ended_.store(true, std::memory_order_relaxed);
      told.push_back(run->lost_);
      ++lost_runs_;
    }
  }
  for (auto& source : told) source.request_stop();
}

/// A log of its own, and in it what happened: then recording goes on.
void Recorder::Writer::try_again() {
  tried_at_ = recorder_.clock().monotonic();
  auto log =
      std::make_unique<log::LogWriter>(recorder_.store_, recorder_.clock(), recorder_.options_.log);
  if (!write_alert(*log)) return;
  log_ = std::move(log);
  lost_events_ = lost_runs_ = 0;
  const std::lock_guard lock(recorder_.mutex_);
  recorder_.failure_.reset();
}

/// In a run of the process's own, of this one event.
Result<void> Recorder::Writer::write_alert(log::LogWriter& log) {
  const auto now = recorder_.clock().now();
  const auto id = RunId::make(now);
  WEIR_TRY(auto lock, log::RunLock::take(recorder_.store_, id));
  Run run(recorder_,
          {.run_id = id,
           .pipeline_type = "external",
           .pipeline_id = "weir",
           .pipeline_version = "1",
           .trace_id = TraceId::make()},
          std::move(lock));
  const auto message = "recording stopped at " + to_string(failed_at_) + " (" + failure_message_ +
                       ") and goes on: " + std::to_string(lost_events_) + " events of " +
                       std::to_string(lost_runs_) + " runs are not in the log";
  static constexpr std::string_view kAttributes =
      R"({"severity":"P1","alert":"recording_stopped"})";
  const event::FieldValue fields[] = {{event::Field::kMessage, std::string_view(message)},
                                      {event::Field::kAttributes, event::ObjectText{kAttributes}}};
  std::string encoded(encoded_size(fields), '\0');
  encode(fields, reinterpret_cast<std::byte*>(encoded.data()));
  std::string line;
  append_head(line, {.run = &run,
                     .seq = 1,
                     .timestamp = now,
                     .type = event::Type::kAlertFired,
                     .level = event::Level::kFatal,
                     .spilled = false});
  append_members(line, std::as_bytes(std::span(encoded)), run.constants_);
  line += "}\n";
  return log.commit(line, 1);
}

/// What the threads had handed over when the signal came; the one that it came to hands over no
/// more.
void Recorder::Writer::drain_for_crash() {
  if (recorder_.crash_drained_.load()) return;
  constexpr int kQuietRounds = 3;
  for (int quiet = 0; quiet < kQuietRounds; ++quiet) {
    if (drain()) quiet = 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::vector<Run*> runs;
  {
    const std::lock_guard lock(recorder_.mutex_);
    runs = recorder_.open_runs_;
  }
  for (auto* run : runs) fill_holes(*run);
  if (!pending_runs_.empty()) commit();
  recorder_.crash_drained_.store(true);
}

void Recorder::Writer::fill_holes(Run& run) {
  static constexpr std::string_view kMessage =
      "the process crashed while this event was being recorded";
  const event::FieldValue fields[] = {{event::Field::kMessage, kMessage}};
  std::string encoded(encoded_size(fields), '\0');
  encode(fields, reinterpret_cast<std::byte*>(encoded.data()));
  while (run.written_ < run.emitted_.load(std::memory_order_relaxed)) {
    write_line({.run = &run,
                .seq = run.written_ + 1,
                .timestamp = recorder_.clock().now(),
                .type = event::Type::kLog,
                .level = event::Level::kFatal,
                .spilled = false},
               std::as_bytes(std::span(encoded)));
    take_held(run);
  }
}

}  // namespace weir::record
