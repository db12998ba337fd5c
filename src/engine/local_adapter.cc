#include "engine/local_adapter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;

constexpr std::string_view kStartRun = "start_run";
/// Of an error in an event.
constexpr std::size_t kMaxAdapterMessage = 4096;

std::string_view type_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return "InvalidInput";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kIo:
      return "IoError";
    case ErrorCode::kExhausted:
      return "Exhausted";
    case ErrorCode::kCorrupt:
      return "Corrupt";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kUnavailable:
      break;
  }
  return "Unavailable";
}

}  // namespace

LocalAdapter::~LocalAdapter() {
  timers_.reset();
  if (has_beaten_) beat();
}

/// What cannot be recorded here fails the runs themselves, which say so.
void LocalAdapter::say(Type type, std::span<const event::FieldValue> fields,
                       std::string_view tenant_id) {
  static_cast<void>(recorder_.process_runs().emit(record::Retention::kOperations, tenant_id, type,
                                                  event::info(type).level, fields));
}

void LocalAdapter::begin_run(int workers) {
  bool beats = false;
  {
    const std::lock_guard lock(mutex_);
    ++runs_;
    workers_ += workers;
    if (!timers_) timers_.emplace();
    beats = !is_beating_ && options_.speaks == Speaks::kAtOnce;
    if (!is_beating_) beat_later();
  }
  if (beats) beat();
}

void LocalAdapter::end_run(int workers) {
  const std::lock_guard lock(mutex_);
  --runs_;
  workers_ -= workers;
}

/// Goes on until an interval has passed without a run, so that a process with many short ones says
/// no more than one with a long one.
void LocalAdapter::beat_later() {
  is_beating_ = true;
  if (!timers_) return;
  timers_->start(options_.interval, [this] {
    {
      const std::lock_guard lock(mutex_);
      is_beating_ = runs_ > 0;
      if (!is_beating_) return;
      beat_later();
    }
    beat();
  });
}

void LocalAdapter::beat() {
  std::string attributes, pool;
  std::vector<Begun> unsaid;
  {
    const std::lock_guard lock(mutex_);
    has_beaten_ = true;
    std::int64_t busy = 0;
    for (const auto& ask : busy_) busy += ask();
    attributes = R"({"runs":)" + std::to_string(runs_) + R"(,"workers":)" +
                 std::to_string(workers_) + R"(,"busy_workers":)" + std::to_string(busy) + "}";
    if (workers_ != said_workers_) {
      pool = R"({"domain":"default","limit":)" + std::to_string(workers_) + "}";
    }
    said_workers_ = workers_;
    unsaid.swap(unsaid_);
  }
  const auto say_with = [this](Type type, const std::string& text) {
    const event::FieldValue fields[] = {{Field::kAdapter, kLocalAdapter},
                                        {Field::kAttributes, event::ObjectText{text}}};
    say(type, fields);
  };
  say_with(Type::kAdapterHeartbeat, attributes);
  if (!pool.empty()) say_with(Type::kWorkerPoolChanged, pool);
  for (const auto& one : unsaid) say_begun(one);
}

void LocalAdapter::begun(Begun begun) {
  {
    const std::lock_guard lock(mutex_);
    if (!has_beaten_) {
      if (unsaid_.size() < kMaxUnsaid) unsaid_.push_back(std::move(begun));
      return;
    }
  }
  say_begun(begun);
}

void LocalAdapter::say_begun(const Begun& begun) {
  const auto run_id = begun.run.text();
  const event::FieldValue fields[] = {{Field::kAdapter, kLocalAdapter},
                                      {Field::kDurationMs, begun.duration_ms},
                                      {Field::kTargetRunId, std::string_view(run_id)},
                                      {Field::kOperation, kStartRun}};
  say(Type::kAdapterCallCompleted, fields, begun.tenant_id);
}

LocalAdapter::Call::Call(LocalAdapter* adapter, const Clock& clock, int workers)
    : adapter_(adapter), clock_(clock), workers_(workers), start_(clock.monotonic()) {
  if (adapter_ != nullptr) adapter_->begin_run(workers_);
}

LocalAdapter::Call::~Call() {
  if (adapter_ != nullptr) adapter_->end_run(workers_);
}

void LocalAdapter::Call::completed(const RunId& run, const std::string& tenant_id) {
  if (adapter_ == nullptr) return;
  adapter_->begun(
      {.run = run, .tenant_id = tenant_id, .duration_ms = milliseconds_since(clock_, start_)});
}

void LocalAdapter::Call::ending(const RunId& run) {
  if (adapter_ == nullptr) return;
  std::optional<Begun> unsaid;
  {
    const std::lock_guard lock(adapter_->mutex_);
    auto& all = adapter_->unsaid_;
    const auto found = std::ranges::find(all, run, &Begun::run);
    if (found == all.end()) return;
    unsaid = std::move(*found);
    all.erase(found);
  }
  adapter_->say_begun(*unsaid);
}

LocalAdapter::Call::Busy::Busy(Call& call, Ask ask) : adapter_(call.adapter_) {
  if (adapter_ == nullptr) return;
  const std::lock_guard lock(adapter_->mutex_);
  place_ = adapter_->busy_.insert(adapter_->busy_.end(), std::move(ask));
}

LocalAdapter::Call::Busy::~Busy() {
  if (adapter_ == nullptr) return;
  const std::lock_guard lock(adapter_->mutex_);
  adapter_->busy_.erase(place_);
}

void LocalAdapter::Call::failed(const Error& error) {
  if (adapter_ == nullptr) return;
  const event::FieldValue fields[] = {
      {Field::kAdapter, kLocalAdapter},
      {Field::kDurationMs, milliseconds_since(clock_, start_)},
      {Field::kErrorType, type_of(error.code)},
      {Field::kErrorMessage, utf8::cut(error.message, kMaxAdapterMessage)},
      {Field::kOperation, kStartRun}};
  adapter_->say(Type::kAdapterCallFailed, fields);
}

}  // namespace weir::engine
