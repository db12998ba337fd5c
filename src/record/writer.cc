#include "record/writer.h"

#include <pthread.h>

#include <charconv>
#include <cstring>

namespace weir::record {

void Recorder::Writer::run() {
  pthread_setname_np(pthread_self(), "weir-writer");
  bool idle = false;
  while (true) {
    const auto wishes = wait(idle);
    const bool drained = drain();
    idle = !drained;
    if (!pending_runs_.empty() && (wishes.stop || wishes.commit_now || is_due())) commit();
    if (wishes.stop && !drained) return;
  }
}

/// Sleeps when the rings were empty: a fraction of the commit interval while runs are open, so that
/// emitting need not wake anybody, and otherwise until called.
Recorder::Writer::Wishes Recorder::Writer::wait(bool idle) {
  std::unique_lock lock(recorder_.mutex_);
  const auto called = [&] { return recorder_.woken_ || recorder_.stopping_; };
  if (idle && recorder_.open_runs_ > 0) {
    recorder_.wake_.wait_for(lock, recorder_.options_.commit_interval / 5, called);
  } else if (idle) {
    recorder_.wake_.wait(lock, called);
  }
  recorder_.woken_ = false;
  for (auto& ring : recorder_.new_rings_) rings_.push_back(std::move(ring));
  recorder_.new_rings_.clear();
  return {.stop = recorder_.stopping_, .commit_now = recorder_.waiting_ > 0};
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
    return closed;
  });
  return any;
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
  while (!run.held_.empty() && run.held_.begin()->first == run.written_ + 1) {
    const auto node = run.held_.extract(run.held_.begin());
    const auto bytes = std::as_bytes(std::span(node.mapped()));
    std::memcpy(&header, bytes.data(), sizeof header);
    write_line(header, bytes.subspan(sizeof header));
  }
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
  run.written_ = header.seq;
  if (pending_runs_.empty()) pending_since_ = recorder_.clock().monotonic();
  if (pending_runs_.empty() || pending_runs_.back() != &run) pending_runs_.push_back(&run);
  if (failed_) return;
  ++pending_events_;

  char timestamp[kRfc3339Size];
  format_rfc3339(header.timestamp, timestamp);
  char number[24];
  const auto number_end = std::to_chars(number, number + sizeof number, header.seq).ptr;
  pending_.append("{\"timestamp\":\"").append(timestamp, sizeof timestamp);
  pending_.append("\",\"event_type\":\"").append(event::info(header.type).name);
  pending_.append("\",\"level\":\"").append(event::to_string(header.level)).append("\"");
  pending_.append(run.head_).append(number, number_end);
  append_members(pending_, fields, run.constants_);
  pending_.append("}\n");
}

bool Recorder::Writer::is_due() const {
  const auto waited = recorder_.clock().monotonic() - pending_since_;
  return waited >= recorder_.options_.commit_interval / 2;
}

void Recorder::Writer::commit() {
  const auto result = failed_ ? Result<void>() : log_.commit(pending_, pending_events_);
  failed_ = failed_ || !result;
  {
    // Under the lock to the end: a run may be gone as soon as its destructor gets it.
    const std::lock_guard lock(recorder_.mutex_);
    for (auto* run : pending_runs_) {
      if (!failed_) run->committed_ = run->written_;
      run->settled_ = run->written_;
    }
    if (!result) recorder_.failure_ = result.error();
  }
  recorder_.settled_.notify_all();
  pending_.clear();
  pending_events_ = 0;
  pending_runs_.clear();
}

}  // namespace weir::record
