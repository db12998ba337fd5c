#include "engine/local_adapter.h"

#include <string>

#include "base/utf8.h"

namespace weir::engine {
namespace {

using event::Field;
using event::Type;

constexpr std::string_view kName = "local";
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
void LocalAdapter::say(Type type, std::span<const event::FieldValue> fields) {
  static_cast<void>(recorder_.process_runs().emit(record::Retention::kOperations, "", type,
                                                  event::info(type).level, fields));
}

void LocalAdapter::begin_run() {
  bool beats = false;
  {
    const std::lock_guard lock(mutex_);
    ++runs_;
    if (!timers_) timers_.emplace();
    beats = !is_beating_ && options_.speaks == Speaks::kAtOnce;
    if (!is_beating_) beat_later();
  }
  if (beats) beat();
}

void LocalAdapter::end_run() {
  const std::lock_guard lock(mutex_);
  --runs_;
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

bool LocalAdapter::speaks() {
  const std::lock_guard lock(mutex_);
  return has_beaten_;
}

void LocalAdapter::beat() {
  std::string attributes;
  {
    const std::lock_guard lock(mutex_);
    has_beaten_ = true;
    attributes = R"({"runs":)" + std::to_string(runs_) + "}";
  }
  const event::FieldValue fields[] = {{Field::kAdapter, kName},
                                      {Field::kAttributes, event::ObjectText{attributes}}};
  say(Type::kAdapterHeartbeat, fields);
}

LocalAdapter::Call::Call(LocalAdapter* adapter, const Clock& clock)
    : adapter_(adapter), clock_(clock), start_(clock.monotonic()) {
  if (adapter_ != nullptr) adapter_->begin_run();
}

LocalAdapter::Call::~Call() {
  if (adapter_ != nullptr) adapter_->end_run();
}

void LocalAdapter::Call::completed(const RunId& run) {
  if (adapter_ == nullptr || !adapter_->speaks()) return;
  const auto run_id = run.text();
  const event::FieldValue fields[] = {{Field::kAdapter, kName},
                                      {Field::kDurationMs, milliseconds_since(clock_, start_)},
                                      {Field::kTargetRunId, std::string_view(run_id)},
                                      {Field::kOperation, kStartRun}};
  adapter_->say(Type::kAdapterCallCompleted, fields);
}

void LocalAdapter::Call::failed(const Error& error) {
  if (adapter_ == nullptr) return;
  const event::FieldValue fields[] = {
      {Field::kAdapter, kName},
      {Field::kDurationMs, milliseconds_since(clock_, start_)},
      {Field::kErrorType, type_of(error.code)},
      {Field::kErrorMessage, utf8::cut(error.message, kMaxAdapterMessage)},
      {Field::kOperation, kStartRun}};
  adapter_->say(Type::kAdapterCallFailed, fields);
}

}  // namespace weir::engine
