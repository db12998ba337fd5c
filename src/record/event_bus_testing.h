#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "record/event_bus.h"

/// For the tests of the event bus.
namespace weir::record::testing_support {

using namespace std::chrono_literals;

// Long enough for a loaded machine; nothing waits for it to pass.
inline constexpr auto kSoon = 20s;

/// A line of a custom type, whose topic is `custom.TYPE`.
inline std::string line_of(std::string_view type, int seq = 1) {
  return R"({"timestamp":"2026-01-05T03:00:00.000001Z","event_type":")" + std::string(type) +
         R"(","level":"INFO","pipeline_type":"dag","pipeline_id":"p","pipeline_version":"1",)" +
         R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":)" + std::to_string(seq) +
         "}";
}

inline void publish(EventBus& bus, std::string_view type, int seq = 1) {
  event::Decoder decoder;
  const auto line = line_of(type, seq);
  const auto event = decoder.decode(line);
  ASSERT_TRUE(event) << event.error().message;
  bus.publish(**event, line);
}

inline std::vector<event::TopicPattern> topics(std::string_view pattern) {
  return {*event::TopicPattern::parse(pattern)};
}

/// Strings from any thread.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
    changed_.notify_all();
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSoon, [&] { return notes_.size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> notes_;
};

/// A hook that notes its name.
inline Hook noting(Notes& notes, std::string name) {
  auto note = [&notes, name](const Published&, const std::stop_token&) -> Result<void> {
    notes.add(name);
    return {};
  };
  return {.name = std::move(name), .topics = topics("#"), .call = std::move(note)};
}

/// Waits for its token; what a hook with a time limit should do.
inline Result<void> wait_for_stop(const Published&, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
  return fail(ErrorCode::kCancelled, "told to stop");
}

/// What the bus reports, by kind.
class Problems {
 public:
  std::function<void(const HookProblem&)> recorder() {
    return [this](const HookProblem& problem) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(problem);
      changed_.notify_all();
    };
  }
  std::vector<HookProblem> all() const {
    const std::lock_guard lock(mutex_);
    return problems_;
  }
  bool wait_for(HookProblem::Kind kind) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kSoon, [&] {
      return std::any_of(problems_.begin(), problems_.end(),
                         [&](const auto& problem) { return problem.kind == kind; });
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<HookProblem> problems_;
};

inline HookStatistics statistics(const EventBus& bus, std::string_view name) {
  for (auto& each : bus.list()) {
    if (each.name == name) return each;
  }
  ADD_FAILURE() << "no hook " << name;
  return {};
}

}  // namespace weir::record::testing_support
