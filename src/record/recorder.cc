#include "record/recorder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>

#include "base/json.h"
#include "record/process_end.h"
#include "record/sealer.h"
#include "record/writer.h"

namespace weir::record {
namespace {

std::uint64_t next_recorder_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Recorder::Recorder(log::StoreDirectory store, RecorderOptions options)
    : id_(next_recorder_id()), store_(std::move(store)), options_(std::move(options)) {
  {
    const std::lock_guard lock(mutex_);
    start_threads();
  }
  LiveRecorders::add(*this);
}

void Recorder::start_threads() {
  sealer_ = std::make_unique<Sealer>(store_);
  writer_ = std::thread([this] { Writer(*this).run(); });
}

Recorder::~Recorder() {
  LiveRecorders::remove(*this);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_writer();
  if (writer_.joinable()) writer_.join();
  sealer_.reset();  // after the writer: it has left its last segment
}

Result<std::unique_ptr<Run>> Recorder::begin(const RunFields& fields) {
  WEIR_TRY(auto lock, log::RunLock::take(store_, fields.run_id));
  auto run = std::unique_ptr<Run>(new Run(*this, fields, std::move(lock)));
  {
    const std::lock_guard guard(mutex_);
    if (stopped_) return fail(ErrorCode::kCancelled, "recording was stopped");
    if (failure_) return std::unexpected(*failure_);
    if (!writer_.joinable()) start_threads();  // in a forked child
    open_runs_.push_back(run.get());
    open_count_ = open_runs_.size();
  }
  wake_writer();
  return run;
}

Result<void> Recorder::stop(AtStop what, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  for (auto* run : open_runs_) run->ended_.store(true, std::memory_order_relaxed);
  if (!writer_.joinable()) return {};
  discarding_ = discarding_ || what == AtStop::kDiscard;
  const auto wanted = ++drains_wanted_;
  woken_ = true;
  wake_.notify_one();
  if (settled_.wait_for(lock, timeout, [&] { return drains_done_ >= wanted; })) return {};
  return fail(ErrorCode::kUnavailable,
              "not everything was recorded within " + std::to_string(timeout.count()) + " ms");
}

RecorderStatistics Recorder::statistics() const {
  const std::lock_guard lock(mutex_);
  auto sum = past_;
  for (const auto& ring : rings_) ring->add_to(sum);
  return sum;
}

/// The ring of the calling thread in this recorder. The thread's end closes it; the writer drops it
/// when it is empty.
Recorder::ThreadRing& Recorder::ring_of_this_thread() {
  struct Rings {
    std::vector<std::pair<std::uint64_t, std::shared_ptr<ThreadRing>>> of;
    ~Rings() {
      for (auto& [id, ring] : of) ring->closed.store(true, std::memory_order_release);
    }
  };
  thread_local Rings rings;
  const auto this_id = id_.load(std::memory_order_relaxed);
  for (auto& [id, ring] : rings.of) {
    if (id == this_id) return *ring;
  }
  std::erase_if(rings.of, [](const auto& entry) { return entry.second.use_count() == 1; });
  auto ring = std::make_shared<ThreadRing>(options_.ring_bytes);
  rings.of.emplace_back(this_id, ring);
  const std::lock_guard lock(mutex_);
  new_rings_.push_back(ring);
  rings_.push_back(ring);
  return *rings.of.back().second;
}

std::byte* Recorder::reserve(ThreadRing& ring, std::size_t size) {
  auto* room = ring.ring.reserve(size);
  if (room == nullptr) ThreadRing::count(ring.full);
  while (room == nullptr) {
    wake_writer();
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    room = ring.ring.reserve(size);
  }
  return room;
}

void Recorder::wake_writer() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

Result<void> Recorder::wait_committed(const Run& run, std::int64_t seq) {
  std::unique_lock lock(mutex_);
  if (run.settled_ < seq) {
    ++waiting_;
    woken_ = true;
    wake_.notify_one();
    settled_.wait(lock, [&] { return run.settled_ >= seq; });
    --waiting_;
  }
  if (run.failure_) return std::unexpected(*run.failure_);
  return {};
}

/// After fork there is one thread, and it has mutex_. The parent's threads and files are the
/// parent's: their copies here are given up, not ended, since to end them would change the files.
void Recorder::start_anew_in_child() {
  id_.store(next_recorder_id(), std::memory_order_relaxed);
  new (&wake_) std::condition_variable;
  new (&settled_) std::condition_variable;
  new (&writer_) std::thread;
  static_cast<void>(sealer_.release());
  new_rings_.clear();
  rings_.clear();
  past_ = {};
  failure_.reset();
  waiting_ = 0;
  drains_done_ = drains_wanted_;
  for (auto* run : open_runs_) {
    run->ended_.store(true, std::memory_order_relaxed);
    run->failure_ = Error{ErrorCode::kConflict, "the run belongs to the parent process"};
    run->settled_ = std::numeric_limits<std::int64_t>::max();
    run->lock_.abandon();
  }
  open_runs_.clear();
  open_count_ = 0;
  mutex_.unlock();
}

Run::Run(Recorder& recorder, const RunFields& fields, log::RunLock lock)
    : recorder_(&recorder),
      id_(fields.run_id),
      durability_(fields.durability),
      lock_(std::move(lock)) {
  const auto add = [&](std::string_view name, std::string_view value) {
    head_.append(",\"").append(name).append("\":");
    json::append_string(head_, value);
  };
  add("pipeline_type", fields.pipeline_type);
  add("pipeline_id", fields.pipeline_id);
  add("pipeline_version", fields.pipeline_version);
  add("run_id", id_.text());
  head_ += ",\"run_seq\":";
  const auto trace_id = fields.trace_id.text();
  constants_.push_back(render({event::Field::kTraceId, std::string_view(trace_id)}));
}

Run::~Run() {
  // Whoever must know of a failure has called flush before. After it the writer holds nothing of
  // this run, whether the log could be written or not.
  static_cast<void>(flush());
  const std::lock_guard lock(recorder_->mutex_);
  std::erase(recorder_->open_runs_, this);
  recorder_->open_count_ = recorder_->open_runs_.size();
}

void Run::emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields) {
  auto& ring = recorder_->ring_of_this_thread();
  if (ended_.load(std::memory_order_relaxed)) return ring.count_drop(clock().now());
  const auto fields_size = encoded_size(fields);
  const auto size = sizeof(RecordHeader) + fields_size;
  const bool spilled = size > ring.ring.max_record();
  auto* room = recorder_->reserve(ring, spilled ? sizeof(RecordHeader) + sizeof(Spill) : size);
  put(ring, room, type, level, fields, fields_size);
  if (durability_ == Durability::kCommit) static_cast<void>(flush());
}

bool Run::try_emit(event::Type type, event::Level level,
                   std::span<const event::FieldValue> fields) {
  auto& ring = recorder_->ring_of_this_thread();
  const auto fields_size = encoded_size(fields);
  const auto size = sizeof(RecordHeader) + fields_size;
  const bool ended = ended_.load(std::memory_order_relaxed);
  // What is too large for a ring would need memory without a limit.
  auto* room = ended || size > ring.ring.max_record() ? nullptr : ring.ring.reserve(size);
  if (room == nullptr) {
    if (!ended) Recorder::ThreadRing::count(ring.full);
    ring.count_drop(clock().now());
    if (recorder_->options_.on_drop) recorder_->options_.on_drop(type);
    return false;
  }
  put(ring, room, type, level, fields, fields_size);
  return true;
}

/// Only now is a number taken, when there is room: none is held by a thread that waits.
void Run::put(Recorder::ThreadRing& ring, std::byte* room, event::Type type, event::Level level,
              std::span<const event::FieldValue> fields, std::size_t fields_size) {
  const bool spilled = sizeof(RecordHeader) + fields_size > ring.ring.max_record();
  const RecordHeader header{.run = this,
                            .seq = emitted_.fetch_add(1, std::memory_order_relaxed) + 1,
                            .timestamp = clock().now(),
                            .type = type,
                            .level = level,
                            .spilled = spilled};
  std::memcpy(room, &header, sizeof header);
  if (spilled) {
    Spill spill{.bytes = std::make_unique<std::string>(fields_size, '\0').release()};
    encode(fields, reinterpret_cast<std::byte*>(spill.bytes->data()));
    std::memcpy(room + sizeof header, &spill, sizeof spill);
  } else {
    encode(fields, room + sizeof header);
  }
  Recorder::ThreadRing::count(ring.emitted);
  ring.last_emit_us.store(header.timestamp.time_since_epoch().count(), std::memory_order_relaxed);
  ring.ring.publish();
}

Result<void> Run::flush() {
  return recorder_->wait_committed(*this, emitted_.load(std::memory_order_relaxed));
}

}  // namespace weir::record
