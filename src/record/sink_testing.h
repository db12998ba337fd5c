#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/decoder.h"
#include "event/topic.h"
#include "record/event_sink.h"

/// For tests of sinks: events, and a sink that keeps what it got.
namespace weir::record {

/// An event of its own. `members` are JSON members after those of every event; the level is INFO
/// unless they say another.
class TestEvent {
 public:
  explicit TestEvent(std::string_view type, std::string_view members = "")
      : line_(R"({"timestamp":"2026-01-05T03:00:00.250000Z","event_type":")" + std::string(type) +
              "\"," +
              (members.find("\"level\"") == std::string_view::npos ? R"("level":"INFO",)" : "") +
              R"("pipeline_type":"dag","pipeline_id":"flights","pipeline_version":"1",)"
              R"("run_id":"019b8a2f-7c00-7000-8000-000000000001","run_seq":1)" +
              (members.empty() ? "" : ",") + std::string(members) + "}") {
    const auto event = decoder_.decode(line_);
    EXPECT_TRUE(event) << (event ? "" : event.error().message);
    event_ = *event;
    topic_ = event::topic_of(*event_);
  }
  TestEvent(const TestEvent&) = delete;
  TestEvent& operator=(const TestEvent&) = delete;
  ~TestEvent() = default;

  [[nodiscard]] Published published() const { return {topic_, *event_, line_}; }
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  event::Decoder decoder_;
  std::string line_;
  std::string topic_;
  const event::EventView* event_ = nullptr;
};

/// Keeps the topics of what it gets; fails, throws or waits when it is told to. From any thread.
class RecordingSink final : public EventSink {
 public:
  enum class Mood { kWell, kFailing, kThrowing };

  [[nodiscard]] Result<void> emit(const Published& event) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_held_; });
    if (mood_ == Mood::kFailing) return fail(ErrorCode::kIo, "no luck");
    if (mood_ == Mood::kThrowing) throw std::runtime_error("no manners");
    topics_.emplace_back(event.topic);
    changed_.notify_all();
    return {};
  }
  [[nodiscard]] Result<void> flush() override {
    const std::lock_guard lock(mutex_);
    flushed_at_.push_back(topics_.size());
    changed_.notify_all();
    if (mood_ == Mood::kFailing) return fail(ErrorCode::kIo, "cannot flush");
    if (mood_ == Mood::kThrowing) throw std::runtime_error("no manners");
    return {};
  }

  void set(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
  }
  /// From now on `emit` waits until `release`.
  void hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }
  /// Waits for the call, which may not have returned.
  void wait_for_calls(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ >= count; });
  }
  void wait_for_flushes(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return flushed_at_.size() >= count; });
  }
  [[nodiscard]] std::vector<std::string> topics() const {
    const std::lock_guard lock(mutex_);
    return topics_;
  }
  /// How many events it had at each flush.
  [[nodiscard]] std::vector<std::size_t> flushed_at() const {
    const std::lock_guard lock(mutex_);
    return flushed_at_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Mood mood_ = Mood::kWell;
  bool is_held_ = false;
  std::size_t calls_ = 0;
  std::vector<std::string> topics_;
  std::vector<std::size_t> flushed_at_;
};

}  // namespace weir::record
