#include "record/recorder.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "record/writer.h"

namespace weir::record {
namespace {

std::uint64_t next_recorder_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Recorder::Recorder(log::StoreDirectory store, RecorderOptions options)
    : id_(next_recorder_id()), store_(std::move(store)), options_(options) {
  writer_ = std::thread([this] { Writer(*this).run(); });
}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_writer();
  writer_.join();
}

Result<std::unique_ptr<Run>> Recorder::begin(const RunFields& fields) {
  WEIR_TRY(auto lock, log::RunLock::take(store_, fields.run_id));
  {
    const std::lock_guard guard(mutex_);
    if (failure_) return std::unexpected(*failure_);
    ++open_runs_;
  }
  wake_writer();
  return std::unique_ptr<Run>(new Run(*this, fields, std::move(lock)));
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
  for (auto& [id, ring] : rings.of) {
    if (id == id_) return *ring;
  }
  std::erase_if(rings.of, [](const auto& entry) { return entry.second.use_count() == 1; });
  auto ring = std::make_shared<ThreadRing>(options_.ring_bytes);
  rings.of.emplace_back(id_, ring);
  const std::lock_guard lock(mutex_);
  new_rings_.push_back(ring);
  return *rings.of.back().second;
}

std::byte* Recorder::reserve(ThreadRing& ring, std::size_t size) {
  auto* room = ring.ring.reserve(size);
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
  if (run.committed_ >= seq || !failure_) return {};
  return std::unexpected(*failure_);
}

Run::Run(Recorder& recorder, const RunFields& fields, log::RunLock lock)
    : recorder_(&recorder), id_(fields.run_id), lock_(std::move(lock)) {
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
  --recorder_->open_runs_;
}

void Run::emit(event::Type type, std::span<const event::FieldValue> fields) {
  emit(type, event::info(type).level, fields);
}

void Run::emit(event::Type type, event::Level level, std::span<const event::FieldValue> fields) {
  auto& ring = recorder_->ring_of_this_thread();
  const auto fields_size = encoded_size(fields);
  const auto size = sizeof(RecordHeader) + fields_size;
  const bool spilled = size > ring.ring.max_record();
  auto* room = recorder_->reserve(ring, spilled ? sizeof(RecordHeader) + sizeof(Spill) : size);
  // Only now, so that no number is taken by a thread that waits for room.
  const RecordHeader header{.run = this,
                            .seq = emitted_.fetch_add(1, std::memory_order_relaxed) + 1,
                            .timestamp = recorder_->clock().now(),
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
  ring.ring.publish();
}

Result<void> Run::flush() {
  return recorder_->wait_committed(*this, emitted_.load(std::memory_order_relaxed));
}

}  // namespace weir::record
