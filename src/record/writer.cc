#include "record/writer.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "base/priority.h"
#include "event/observed.h"
#include "event/run_end.h"
#include "log/segment.h"
#include "record/encoding.h"
#include "record/process_end.h"
#include "record/sealer.h"

namespace weir::record {
namespace {

/// How long an event of Durability::kMemory may wait.
constexpr std::chrono::milliseconds kMemoryInterval{200};
/// While a commit is on its way, the next one grows to so many times its size before the writer
/// waits.
constexpr std::size_t kAhead = 16;
/// After so many records their room goes back to the thread.
constexpr int kRecordsAtOnce = 64;
/// Fewer of them can wait until there are more.
constexpr std::size_t kFewRecords = 256;
constexpr std::chrono::microseconds kShortestPause{50};
/// However much the options say, and with the event that comes on top, a commit stays in its limit.
constexpr std::size_t kMaxPending = log::kMaxCommitBytes - 2 * log::kMaxEventBytes;

}  // namespace

void ThreadRing::add_to(RecorderStatistics& sum) const {
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

Writer::Writer(Recorder& recorder)
    : recorder_(recorder),
      redactor_(recorder.redactor()),
      log_(make_log()),
      commits_([this](Batch& batch) { return write(batch); }) {}

/// Under a name that is known before there is a file of it.
std::unique_ptr<log::LogWriter> Writer::make_log() {
  auto log =
      std::make_unique<log::LogWriter>(recorder_.store_, recorder_.clock(), recorder_.options_.log);
  const std::lock_guard lock(recorder_.writer_names_->mutex);
  recorder_.writer_names_->names.push_back(log->name());
  return log;
}

void Writer::run() {
  pthread_setname_np(pthread_self(), "weir-writer");
  set_thread_priority(Priority::kPrompt);
  LiveRecorders::mark_writer_thread();
  report_losses();
  if (auto note = log::LossNote::reserve(recorder_.store_, log_->name())) {
    note_.emplace(*std::move(note));
  }
  static_cast<void>(pending_.lines.room(1));  // before anybody waits for the first commit
  bool idle = false;
  while (true) {
    const auto wishes = wait(idle);
    if (wishes.discard) lose_open_runs({ErrorCode::kCancelled, "recording was stopped"});
    const auto drained = drain();
    idle = drained == 0 || (drained < kFewRecords && !wishes.commit_now);
    choose_pause(drained);
    const bool busy = commits_.is_busy();
    if (!busy) finish_commit();
    if (!pending_.empty() && (wishes.stop || wishes.commit_now)) {
      commit_here();
    } else if (!pending_.empty() && !busy && is_due()) {
      commit_beside();
    }
    // Not when it was busy above: what it ended with since is not handled yet.
    if (drained == 0 && pending_.empty() && !busy) tell_drained(wishes.drains);
    if (recorder_.crashing_.load()) drain_for_crash();
    if (!log_ && recorder_.clock().monotonic() - tried_at_ >= recorder_.options_.retry_interval) {
      try_again();
    }
    if (wishes.stop && drained == 0) break;
  }
  finish_commit();
  if (!log_) return note_loss();
  log_->close();
  recorder_.sealer_->wake(log_->take_finished());
}

/// For as long as it takes until there are a few records again: the writer then works beside those
/// who emit them, instead of after the last one, and a run that says little costs little.
void Writer::choose_pause(std::size_t drained) {
  const auto longest = std::chrono::nanoseconds(recorder_.options_.commit_interval) / 5;
  const auto next = drained < kFewRecords ? 2 * pause_ : pause_ / 2;
  pause_ = std::min<std::chrono::nanoseconds>(
      longest, std::max<std::chrono::nanoseconds>(next, kShortestPause));
}

/// Sleeps when the rings had next to nothing: for the pause while runs are open, so that emitting
/// need not wake anybody, and otherwise until called. To take each event as soon as it is there
/// takes cache lines from the thread that is about to write the next one.
Writer::Wishes Writer::wait(bool idle) {
  std::unique_lock lock(recorder_.mutex_);
  const auto called = [&] { return recorder_.woken_ || recorder_.stopping_; };
  if (idle && (!recorder_.open_runs_.empty() || !pending_.empty())) {
    recorder_.wake_.wait_for(lock, pause_, called);
  } else if (idle && !log_) {
    recorder_.wake_.wait_for(lock, recorder_.options_.retry_interval, called);
  } else if (idle) {
    recorder_.wake_.wait(lock, called);
  }
  recorder_.woken_ = false;
  if (!recorder_.new_rings_.empty()) pause_ = kShortestPause;  // somebody begins
  take_new_rings();
  return {.stop = recorder_.stopping_,
          .commit_now = recorder_.waiting_ > 0 || recorder_.drains_wanted_ > recorder_.drains_done_,
          .discard = recorder_.discarding_,
          .drains = recorder_.drains_wanted_};
}

/// Under the recorder's mutex.
void Writer::take_new_rings() {
  for (auto& ring : recorder_.new_rings_) rings_.push_back(std::move(ring));
  recorder_.new_rings_.clear();
}

std::size_t Writer::drain() {
  std::size_t drained = 0;
  std::erase_if(rings_, [&](const std::shared_ptr<ThreadRing>& ring) {
    const bool closed = ring->closed.load(std::memory_order_acquire);
    while (const auto taken = drain_some(*ring)) drained += taken;
    if (closed) forget(*ring);
    return closed;
  });
  return drained;
}

std::size_t Writer::drain_some(ThreadRing& ring) {
  if (recorder_.has_ticks_) recorder_.ticks_.sync();
  RecordHeader header{};
  std::size_t taken = 0;
  for (; taken < kRecordsAtOnce; ++taken) {
    const auto record = ring.ring.next();
    if (record.data() == nullptr) break;
    const std::string_view bytes(reinterpret_cast<const char*>(record.data()), record.size());
    std::memcpy(&header, bytes.data(), sizeof header);
    take(header, bytes.substr(sizeof header));
  }
  if (taken == 0) return 0;
  ring.ring.release();
  pending_.lines.sum_up();
  ring.last_emit_us.store(time_of(header).time_since_epoch().count(), std::memory_order_relaxed);
  const auto size = pending_.lines.size();
  const auto enough = recorder_.options_.commit_bytes;
  if (size >= enough && (size >= kAhead * enough || !commits_.is_busy())) commit_beside();
  return taken;
}

void Writer::forget(const ThreadRing& ring) {
  const std::lock_guard lock(recorder_.mutex_);
  ring.add_to(recorder_.past_);
  std::erase_if(recorder_.rings_, [&](const auto& known) { return known.get() == &ring; });
}

/// Writes the record's line if it is its run's next, and those that waited for it; keeps it
/// otherwise.
void Writer::take(const RecordHeader& header, std::string_view fields) {
  auto& run = *header.run;
  if (header.seq == run.written_ + 1) {
    write_line(header, fields);
    if (!run.held_.empty()) take_held(run);
    return;
  }
  std::string record(reinterpret_cast<const char*>(&header), sizeof header);
  run.held_.emplace(header.seq, record.append(fields));
}

void Writer::take_held(Run& run) {
  while (!run.held_.empty() && run.held_.begin()->first == run.written_ + 1) {
    const auto node = run.held_.extract(run.held_.begin());
    const std::string_view record = node.mapped();
    RecordHeader header{};
    std::memcpy(&header, record.data(), sizeof header);
    write_line(header, record.substr(sizeof header));
  }
}

Timestamp Writer::time_of(const RecordHeader& header) const {
  if (recorder_.has_ticks_) return recorder_.ticks_.at(header.stamp);
  return Timestamp(std::chrono::microseconds(header.stamp));
}

/// Two readings of one moment may differ by a microsecond or two: that must not look like time that
/// goes back.
Timestamp Writer::time_in_run(const RecordHeader& header) const {
  constexpr std::chrono::microseconds kError{2};
  const auto time = time_of(header);
  const auto last = header.run->last_time_;
  return time < last && last - time <= kError ? last : time;
}

void Writer::write_line(const RecordHeader& header, std::string_view fields) {
  auto& run = *header.run;
  std::unique_ptr<std::string> spilled;
  if (header.spilled) {
    Spill spill{};
    std::memcpy(&spill, fields.data(), sizeof spill);
    spilled.reset(spill.bytes);
    fields = *spilled;
  }
  if (run.has_ended_ && !event::may_follow_end(header.type)) return write_late(header);
  run.has_ended_ = run.has_ended_ || event::ends_run(header.type);
  if (pending_.lines.size() >= kMaxPending) commit_beside();
  run.written_ = header.seq;
  if (pending_.empty()) pending_since_ = recorder_.clock().monotonic();
  if (pending_.empty() || pending_.runs.back().first != &run) pending_.runs.emplace_back(&run, 0);
  pending_.runs.back().second = header.seq;
  pending_is_urgent_ = pending_is_urgent_ || run.durability_ != Durability::kMemory;
  if (run.is_lost_) {
    ++loss_.events;
    return;
  }
  ++pending_.events;

  if (run.says_redacted_) {
    redactor_.count_before(std::exchange(run.redacted_, {}));
    run.says_redacted_ = false;
  }
  if (const auto masked = redactor_.redact(header.type, fields)) fields = *masked;
  run.last_time_ = time_in_run(header);
  Line line{.timestamp = run.last_time_,
            .type = header.type,
            .level = header.level,
            .run = run.head_,
            .seq = header.seq,
            .fields = fields,
            .constants = run.constants_};
  auto* begin = pending_.lines.room(max_size(line));
  auto* end = renderer_.put(begin, line);
  if (static_cast<std::size_t>(end - begin) > log::kMaxEventBytes) {
    const auto cut = cut_fields(fields);
    line.fields = cut;
    begin = pending_.lines.room(max_size(line));
    end = renderer_.put(begin, line);
    ++cut_;
  }
  pending_.lines.add(static_cast<std::size_t>(end - begin));
}

/// In the place of an event that may not follow its run's end: it has taken a number already.
void Writer::write_late(const RecordHeader& header) {
  ++late_;
  const auto message = std::string(event::info(header.type).name) +
                       " came after the end of the run: it is not recorded";
  const event::FieldValue fields[] = {{event::Field::kMessage, std::string_view(message)}};
  auto warning = header;
  warning.type = event::Type::kLog;
  warning.level = event::Level::kWarning;
  warning.spilled = false;
  write_line(warning, encode(fields));
}

bool Writer::is_due() const {
  const auto waited = recorder_.clock().monotonic() - pending_since_;
  return waited >= (pending_is_urgent_ ? recorder_.options_.commit_interval / 2 : kMemoryInterval);
}

void Writer::commit_here() {
  finish_commit();
  close_batch();
  if (const auto result = write(pending_); !result) handle_failure(pending_, result.error());
  pending_.clear();
  pending_is_urgent_ = false;
}

void Writer::commit_beside() {
  finish_commit();
  if (pending_.events == 0) return commit_here();  // all lost: nothing to write
  close_batch();
  commits_.start(pending_);
  pending_is_urgent_ = false;
}

void Writer::close_batch() {
  pending_.cut = cut_;
  pending_.late = late_;
  pending_.redacted = redactor_.total();
}

void Writer::finish_commit() {
  if (const auto failed = commits_.wait()) handle_failure(failed->first, failed->second);
}

/// And tells those who wait, unless it failed: that is handled by the writer's thread.
Result<void> Writer::write(Batch& batch) {
  if (batch.events > 0) {
    WEIR_TRY(log_->commit(batch.lines, batch.events));
    if (const auto finished = log_->take_finished(); !finished.empty()) {
      recorder_.sealer_->wake(finished);
    }
  }
  settle(batch, true);
  return {};
}

void Writer::settle(const Batch& batch, bool committed) {
  {
    // Under the lock to the end: a run may be gone as soon as its destructor gets it.
    const std::lock_guard lock(recorder_.mutex_);
    for (const auto& [run, seq] : batch.runs) {
      if (committed && !run->is_lost_) run->committed_ = seq;
      run->settled_ = seq;
    }
    if (committed && batch.events > 0) ++recorder_.past_.commits;
    if (!committed) ++recorder_.past_.write_errors;
    recorder_.past_.cut = batch.cut;
    recorder_.past_.late = batch.late;
    recorder_.past_.redacted = batch.redacted;
    recorder_.woken_ = true;
  }
  recorder_.settled_.notify_all();
  recorder_.wake_.notify_one();
}

void Writer::tell_drained(std::uint64_t drains) {
  {
    const std::lock_guard lock(recorder_.mutex_);
    if (recorder_.drains_done_ >= drains) return;
    recorder_.drains_done_ = drains;
  }
  recorder_.settled_.notify_all();
}

/// The log ends here, and with it every run that is open.
void Writer::handle_failure(const Batch& batch, const Error& error) {
  loss_.reason = error.message;
  loss_.since = recorder_.clock().now();
  tried_at_ = recorder_.clock().monotonic();
  loss_.events += batch.events;
  recorder_.sealer_->wake(log_->take_finished());
  log_.reset();
  lose_open_runs(error);
  settle(batch, false);
  if (&batch != &pending_) {
    // What was made meanwhile is of runs that are lost now.
    loss_.events += std::exchange(pending_.events, 0);
    pending_.lines.clear();
  }
  note_loss();
}

/// For the case that this process does not come to tell it.
void Writer::note_loss() {
  if (note_) static_cast<void>(note_->write(loss_));
}

/// Tells every run that is open now. Their callbacks are called without the lock: what they stop
/// may want it.
void Writer::lose_open_runs(const Error& error) {
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
      ++loss_.runs;
      if (loss_.run_ids.size() < log::Loss::kMaxNamed) loss_.run_ids.push_back(run->id());
    }
  }
  for (auto& source : told) source.request_stop();
}

/// A log of its own, and in it what happened: then recording goes on.
void Writer::try_again() {
  tried_at_ = recorder_.clock().monotonic();
  auto log = make_log();
  if (!write_alert(*log, loss_, "goes on")) return;
  log_ = std::move(log);
  loss_ = {};
  if (note_) static_cast<void>(note_->clear());
  const std::lock_guard lock(recorder_.mutex_);
  recorder_.failure_.reset();
}

/// A log that takes them is ours. One that does not leaves them to the next who opens the store.
void Writer::report_losses() {
  for (auto& [note, loss] : log::LossNote::left_behind(recorder_.store_)) {
    auto log = make_log();
    if (!write_alert(*log, loss, "its process has ended")) return;
    static_cast<void>(note.clear());
    log->close();
    recorder_.sealer_->wake(log->take_finished());
  }
}

/// In a run of the process's own, of this one event.
Result<void> Writer::write_alert(log::LogWriter& log, const log::Loss& loss,
                                 std::string_view what_then) {
  const auto now = recorder_.clock().now();
  const auto id = RunId::make(now);
  WEIR_TRY(auto lock, log::RunLock::take(recorder_.store_, id));
  Run run(recorder_,
          {.run_id = id,
           .pipeline_type = "external",
           .pipeline_id = std::string(event::kOwnPipeline),
           .pipeline_version = "1",
           .trace_id = TraceId::make()},
          std::move(lock));
  const auto message = "recording stopped at " + to_string(loss.since) + " (" + loss.reason +
                       ") and " + std::string(what_then) + ": " + std::to_string(loss.events) +
                       " events of " + std::to_string(loss.runs) + " runs are not in the log";
  std::string attributes = R"({"severity":"P1","alert":"recording_stopped","runs":[)";
  for (const auto& lost : loss.run_ids) {
    if (attributes.back() != '[') attributes += ',';
    attributes.append("\"").append(lost.text()).append("\"");
  }
  attributes += "]}";
  const event::FieldValue fields[] = {{event::Field::kMessage, std::string_view(message)},
                                      {event::Field::kAttributes, event::ObjectText{attributes}}};
  const auto encoded = encode(fields);
  std::string line;
  renderer_.append(line, {.timestamp = now,
                          .type = event::Type::kAlertFired,
                          .level = event::Level::kFatal,
                          .run = run.head_,
                          .seq = 1,
                          .fields = encoded,
                          .constants = run.constants_});
  return log.commit(line, 1);
}

/// What the threads had handed over when the signal came; the one that it came to hands over no
/// more.
void Writer::drain_for_crash() {
  if (recorder_.crash_drained_.load()) return;
  constexpr int kQuietRounds = 3;
  {
    const std::lock_guard lock(recorder_.mutex_);
    take_new_rings();
  }
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
  commit_here();
  recorder_.crash_drained_.store(true);
}

void Writer::fill_holes(Run& run) {
  static constexpr std::string_view kMessage =
      "the process crashed while this event was being recorded";
  const event::FieldValue fields[] = {{event::Field::kMessage, kMessage}};
  const auto encoded = encode(fields);
  const auto now = recorder_.clock().now();
  while (run.written_ < run.emitted_.load(std::memory_order_relaxed)) {
    write_line(
        {.run = &run,
         .seq = run.written_ + 1,
         .stamp = recorder_.has_ticks_ ? read_ticks()
                                       : static_cast<std::uint64_t>(now.time_since_epoch().count()),
         .type = event::Type::kLog,
         .level = event::Level::kFatal,
         .spilled = false},
        encoded);
    take_held(run);
  }
}

}  // namespace weir::record
