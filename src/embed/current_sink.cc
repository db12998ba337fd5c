#include "embed/current_sink.h"

#include <mutex>
#include <utility>
#include <vector>

#include "embed/attach_sink.h"
#include "embed/state.h"
#include "record/fork_guard.h"
#include "weir/sinks.h"

namespace weir {
namespace embed {
namespace {

struct ProcessSink {
  std::mutex mutex;
  std::shared_ptr<Sink> sink;                           // null: none; guarded by mutex
  std::vector<std::weak_ptr<RecorderState>> recorders;  // guarded by mutex
  record::ForkGuard fork_guard{mutex};
};

ProcessSink& process_sink() {
  static ProcessSink process;
  return process;
}

/// Null where none is set.
std::shared_ptr<Sink> sink_that_is_set() {
  auto& process = process_sink();
  const std::lock_guard lock(process.mutex);
  return process.sink;
}

/// Those that are there still.
std::vector<std::shared_ptr<RecorderState>> live_recorders() {
  auto& process = process_sink();
  std::vector<std::shared_ptr<RecorderState>> live;
  const std::lock_guard lock(process.mutex);
  std::erase_if(process.recorders, [&](const auto& recorder) {
    auto state = recorder.lock();
    if (state) live.push_back(std::move(state));
    return recorder.expired();
  });
  return live;
}

class CurrentSink final : public record::EventSink {
 public:
  [[nodiscard]] Result<void> emit(const record::Published& event) override {
    const auto sink = sink_that_is_set();
    return sink ? adapt_sink(sink)->emit(event) : Result<void>();
  }
  [[nodiscard]] Result<void> flush() override {
    const auto sink = sink_that_is_set();
    return sink ? adapt_sink(sink)->flush() : Result<void>();
  }
};

}  // namespace

std::shared_ptr<record::EventSink> current_sink() { return std::make_shared<CurrentSink>(); }

Result<void> join_current_sink(const std::shared_ptr<RecorderState>& recorder) {
  bool is_set = false;
  {
    auto& process = process_sink();
    const std::lock_guard lock(process.mutex);
    process.recorders.push_back(recorder);
    is_set = process.sink != nullptr;
  }
  // Without a sink there is nobody to read for: no thread.
  return is_set ? recorder->sinks.add_current(recorder->recorder) : Result<void>();
}

}  // namespace embed

Status set_event_sink(std::shared_ptr<Sink> sink) noexcept {
  Result<void> result;
  const auto note = [&](Result<void> done) {
    if (result && !done) result = std::move(done);
  };
  const bool is_set = sink != nullptr;
  for (const auto& recorder : embed::live_recorders()) note(recorder->sinks.finish_current());
  {
    auto& process = embed::process_sink();
    const std::lock_guard lock(process.mutex);
    process.sink.swap(sink);
  }
  // The one before goes here, after the lock: its destructor may wait.
  sink.reset();
  if (is_set) {
    for (const auto& recorder : embed::live_recorders()) {
      note(recorder->sinks.add_current(recorder->recorder));
    }
  }
  return result ? Status() : embed::to_status(result.error());
}

std::shared_ptr<Sink> get_event_sink() noexcept {
  auto sink = embed::sink_that_is_set();
  return sink ? sink : null_sink();
}

}  // namespace weir
