#include "record/recorder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <system_error>

#include "base/json.h"
#include "base/ticks.h"
#include "record/encoding.h"
#include "record/process_end.h"
#include "record/sealer.h"
#include "record/writer.h"

namespace weir::record {
namespace {

std::uint64_t next_recorder_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

RecorderOptions with_defaults(RecorderOptions options) {
  if (!options.redactor) {
    auto redactor = event::Redactor::make({});
    WEIR_CHECK(redactor.has_value());
    options.redactor = std::make_shared<const event::Redactor>(*std::move(redactor));
  }
  return options;
}

/// The ring that this thread used last, found without a search. Trivial, so that it needs no guard.
struct LastRing {
  std::uint64_t recorder;  // 0: none
  void* ring;
};
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): of one thread
constinit thread_local LastRing last_ring{.recorder = 0, .ring = nullptr};

}  // namespace

Recorder::Recorder(log::StoreDirectory store, RecorderOptions options)
    : id_(next_recorder_id()),
      has_ticks_(options.clock == &system_clock() && weir::has_ticks()),
      store_(std::move(store)),
      options_(with_defaults(std::move(options))),
      ticks_(clock()) {
  {
    const std::lock_guard lock(mutex_);
    start_threads();
  }
  LiveRecorders::add(*this);
}

void Recorder::start_threads() {
  sealer_ = std::make_unique<Sealer>(store_, [this](const auto& salvage) { report(salvage); });
  writer_ = std::thread([this] { Writer(*this).run(); });
}

/// What was found at the end of somebody else's segment. While this recorder ends, the seal alone
/// says it.
void Recorder::report(const log::Salvage& salvage) {
  const auto message = salvage.segment.file_name() + ": " + std::to_string(salvage.size) +
                       " bytes from byte " + std::to_string(salvage.offset) +
                       (salvage.quarantined ? " are in quarantine: " : " were cut off: ") +
                       salvage.reason;
  const event::FieldValue fields[] = {{event::Field::kMessage, std::string_view(message)}};
  static_cast<void>(process_runs_.emit(Retention::kOperations, "", event::Type::kLog,
                                       event::Level::kWarning, fields));
}

Recorder::~Recorder() {
  LiveRecorders::remove(*this);
  process_runs_.close();
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
  return begin(fields, std::move(lock));
}

Result<std::unique_ptr<Run>> Recorder::begin(const RunFields& fields, log::RunLock lock) {
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

log::WriterFilter Recorder::own_writers() const {
  return [own = writer_names_](std::string_view name) {
    const std::lock_guard lock(own->mutex);
    return std::ranges::find(own->names, name) != own->names.end();
  };
}

RecorderStatistics Recorder::statistics() const {
  const std::lock_guard lock(mutex_);
  auto sum = past_;
  for (const auto& ring : rings_) ring->add_to(sum);
  return sum;
}

inline ThreadRing& Recorder::ring_of_this_thread() {
  if (last_ring.recorder == id_.load(std::memory_order_relaxed)) {
    return *static_cast<ThreadRing*>(last_ring.ring);
  }
  auto& ring = make_ring_of_this_thread();
  last_ring = {.recorder = id_.load(std::memory_order_relaxed), .ring = &ring};
  return ring;
}

/// The ring of the calling thread in this recorder. The thread's end closes it; the writer drops it
/// when it is empty.
ThreadRing& Recorder::make_ring_of_this_thread() {
  struct Rings {
    std::vector<std::pair<std::uint64_t, std::shared_ptr<ThreadRing>>> of;
    ~Rings() {
      last_ring = {.recorder = 0, .ring = nullptr};
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

/// The parent's threads and files are the parent's: their copies here are given up, not ended,
/// since to end them would change the files.
void Recorder::start_anew_in_child() {
  id_.store(next_recorder_id(), std::memory_order_relaxed);
  leave_to_parent(wake_, settled_, writer_);
  static_cast<void>(sealer_.release());
  new (&process_runs_) ProcessRuns(*this);
  new (&ticks_) TickConverter(clock());  // the parent's writer may have been about to change it
  new_rings_.clear();
  rings_.clear();
  writer_names_ = std::make_shared<WriterNames>();
  past_ = {};
  failure_.reset();
  waiting_ = 0;
  drains_done_ = drains_wanted_;
  for (auto* run : open_runs_) {
    run->ended_.store(true, std::memory_order_relaxed);
    run->failure_ = Error{ErrorCode::kConflict, "the run belongs to the parent process"};
    run->settled_ = std::numeric_limits<std::int64_t>::max();
    run->lock_.abandon();
    // Not the parent's: its callbacks want locks that threads of the parent may hold.
    run->lost_ = {};
    run->lost_.request_stop();
  }
  open_runs_.clear();
  open_count_ = 0;
}

Run::Run(Recorder& recorder, const RunFields& fields, log::RunLock lock)
    : recorder_(&recorder),
      id_(fields.run_id),
      durability_(fields.durability),
      lock_(std::move(lock)),
      emitted_(fields.last_run_seq),
      committed_(fields.last_run_seq),
      settled_(fields.last_run_seq),
      written_(fields.last_run_seq),
      redacted_(fields.redacted) {
  const auto add = [&](event::Field field, std::string_view value) {
    head_.append(",\"").append(event::info(field).name).append("\":");
    json::append_string(head_, value);
  };
  add(event::Field::kPipelineType, fields.pipeline_type);
  add(event::Field::kPipelineId, masked(event::Field::kPipelineId, fields.pipeline_id));
  add(event::Field::kPipelineVersion,
      masked(event::Field::kPipelineVersion, fields.pipeline_version));
  add(event::Field::kRunId, id_.text());
  head_ += ",\"run_seq\":";
  add_constant(event::Field::kTraceId, fields.trace_id.text());
  const auto& ids = fields.correlation;
  add_constant(event::Field::kTenantId, ids.tenant_id);
  add_constant(event::Field::kParentRunId, ids.run_id);
  add_constant(event::Field::kPreviousRunId, ids.previous_run_id);
  add_constant(event::Field::kSessionId, ids.session_id);
  add_constant(event::Field::kRequestId, ids.request_id);
  add_constant(event::Field::kUserId, ids.user_id);
  add_constant(event::Field::kOrgId, ids.org_id);
  add_constant(event::Field::kWorkflowId, ids.workflow_id);
  add_constant(event::Field::kCorrelationId, ids.correlation_id);
  std::ranges::sort(constants_, {}, &RenderedField::field);
  if (redacted_.total() > 0) says_redacted_ = true;
}

void Run::add_constant(event::Field field, std::string_view text) {
  if (text.empty()) return;
  const auto written = masked(field, text);
  constants_.push_back(render({field, std::string_view(written)}));
}

std::string Run::masked(event::Field field, std::string_view text) {
  std::string out(text);
  recorder_->redactor().redact_value(event::info(field).name, text, event::TextKind::kField, out,
                                     redacted_);
  return out;
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
  if (!put(ring, type, level, fields)) {
    const auto fields_size = encoded_size(fields);
    const auto size = sizeof(RecordHeader) + fields_size;
    const bool spilled = size > ring.ring.max_record();
    auto* room = recorder_->reserve(ring, spilled ? sizeof(RecordHeader) + sizeof(Spill) : size);
    put_exactly(ring, room, type, level, fields, fields_size);
  }
  if (durability_ == Durability::kCommit) static_cast<void>(flush());
}

bool Run::try_emit(event::Type type, event::Level level,
                   std::span<const event::FieldValue> fields) {
  auto& ring = recorder_->ring_of_this_thread();
  const bool ended = ended_.load(std::memory_order_relaxed);
  if (!ended && put(ring, type, level, fields)) return true;
  const auto fields_size = encoded_size(fields);
  const auto size = sizeof(RecordHeader) + fields_size;
  // What is too large for a ring would need memory without a limit.
  auto* room = ended || size > ring.ring.max_record() ? nullptr : ring.ring.reserve(size);
  if (room == nullptr) {
    if (!ended) ThreadRing::count(ring.full);
    ring.count_drop(clock().now());
    if (recorder_->options_.on_drop) recorder_->options_.on_drop(type);
    return false;
  }
  put_exactly(ring, room, type, level, fields, fields_size);
  return true;
}

/// The quick way, for an event of some hundred bytes and a ring that has room: its size need not be
/// known before it is written.
inline bool Run::put(ThreadRing& ring, event::Type type, event::Level level,
                     std::span<const event::FieldValue> fields) {
  constexpr std::size_t kRoom = 1024;
  auto* room = ring.ring.reserve(kRoom);
  if (room == nullptr) return false;
  auto* const begin = room + sizeof(RecordHeader);
  const auto* const end = encode(fields, begin, room + kRoom);
  if (end == nullptr) return false;
  publish(ring, room, static_cast<std::size_t>(end - begin), type, level, false);
  return true;
}

/// `room` is for the header and `fields_size` bytes, or for a Spill if the ring cannot have more.
void Run::put_exactly(ThreadRing& ring, std::byte* room, event::Type type, event::Level level,
                      std::span<const event::FieldValue> fields, std::size_t fields_size) {
  if (sizeof(RecordHeader) + fields_size > ring.ring.max_record()) {
    const Spill spill{.bytes = std::make_unique<std::string>(encode(fields)).release()};
    std::memcpy(room + sizeof(RecordHeader), &spill, sizeof spill);
    return publish(ring, room, sizeof spill, type, level, true);
  }
  auto* const begin = room + sizeof(RecordHeader);
  WEIR_CHECK(encode(fields, begin, begin + fields_size) != nullptr);
  publish(ring, room, fields_size, type, level, false);
}

/// Only now is a number taken, when the record is whole: none is held by a thread that waits. The
/// header is made in its place: a copy would wait for the stores that made it.
inline void Run::publish(ThreadRing& ring, std::byte* room, std::size_t fields_size,
                         event::Type type, event::Level level, bool spilled) {
  const bool has_ticks = recorder_->has_ticks_;
  const auto ticks = has_ticks ? read_ticks() : 0;  // after the number, it would wait for it
  new (room) RecordHeader{
      .run = this,
      .seq = emitted_.fetch_add(1, std::memory_order_relaxed) + 1,
      .stamp =
          has_ticks ? ticks : static_cast<std::uint64_t>(clock().now().time_since_epoch().count()),
      .type = type,
      .level = level,
      .spilled = spilled};
  ThreadRing::count(ring.emitted);
  ring.ring.publish(sizeof(RecordHeader) + fields_size);
}

const Clock& Run::clock() const { return recorder_->clock(); }
const log::StoreDirectory& Run::store() const { return recorder_->store(); }

Result<void> Run::flush() {
  return recorder_->wait_committed(*this, emitted_.load(std::memory_order_relaxed));
}

}  // namespace weir::record
