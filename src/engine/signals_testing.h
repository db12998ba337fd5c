#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "engine/engine_testing.h"
#include "engine/signal_feed.h"
#include "log/follower.h"
#include "project/run_state.h"

/// For tests: runs in which nodes ask things of their own run.
namespace weir::engine {

/// A run in which nodes ask things of their own run. Tool x.ask asks what its `with` says, one
/// after the other, each after it has waited for what `after` names: "node started", "node
/// completed", ….
class ThreadsSignalsTest : public EngineTest {
 protected:
  ThreadsSignalsTest() {
    add("x", "ask", [this](const tool::Call& call) {
      const auto* requests = call.with.find("ask");
      for (const auto& one : *requests->array()) ask_one(call, *one.object());
      return output_of(call);
    });
    add("x", "await", [this](const tool::Call& call) {
      await(*call.with.find("after")->string());
      return output_of(call);
    });
    add("x", "name", [this](const tool::Call& call) {
      called(call);
      return output_of(call);
    });
    add("x", "fail_once", [this](const tool::Call& call) {
      if (called(call) == 1) throw std::runtime_error("not yet");
      return output_of(call);
    });
    add("x", "fail", [this](const tool::Call& call) -> json::Object {
      called(call);
      throw std::runtime_error("never");
    });
  }

  static json::Object output_of(const tool::Call& call) {
    json::Object output;
    output.set(std::string(call.node_id), "done");
    return output;
  }

  int called(const tool::Call& call) {
    const std::lock_guard lock(mutex_);
    return ++calls_[std::string(call.node_id)];
  }

  void ask_one(const tool::Call& call, const json::Object& what) {
    const auto text = [&](std::string_view key) {
      const auto* value = what.find(key);
      return value == nullptr ? std::string() : *value->string();
    };
    if (const auto after = text("after"); !after.empty()) await(after);
    SignalRequest request{
        .run = *RunId::parse(call.run_id),
        .signal_id = text("id").empty() ? "s" + std::to_string(++asked_) : text("id"),
        .type = text("type"),
        .node_id = text("node"),
        .actor_id = "ada",
        .reason = text("reason")};
    if (const auto* payload = what.find("payload")) request.payload = *payload->object();
    const auto asked = feed_->ask(std::move(request), artifacts_);
    EXPECT_TRUE(asked) << asked.error().message;
    const std::lock_guard lock(mutex_);
    seen_.insert("asked " + text("type"));
    changed_.notify_all();
  }

  void await(const std::string& what) {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return seen_.contains(what); });
    EXPECT_TRUE(came) << "it never came: " << what;
  }

  /// Until the log has one of the type.
  void await_event(const std::string& type) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    auto all = types();
    while (std::ranges::find(all, type) == all.end() && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
      all = types();
    }
    EXPECT_THAT(all, testing::Contains(type));
  }

  void note(const NodeUpdate& update) {
    using Kind = NodeUpdate::Kind;
    static const std::map<Kind, std::string> kWords = {
        {Kind::kAsked, "asked"},          {Kind::kStarted, "started"},
        {Kind::kCompleted, "completed"},  {Kind::kFailed, "failed"},
        {Kind::kRetried, "retried"},      {Kind::kSkipped, "skipped"},
        {Kind::kCancelled, "cancelled"},  {Kind::kPaused, "paused"},
        {Kind::kResumed, "resumed"},      {Kind::kUndone, "undone"},
        {Kind::kUndoFailed, "not undone"}};
    {
      const std::lock_guard lock(mutex_);
      seen_.insert(std::string(update.node_id) + " " + kWords.at(update.kind));
    }
    changed_.notify_all();
  }

  Result<RunReport> run_asking(const std::string& json, int jobs = 3) {
    const auto file = pipeline::read_definition(*json::parse(json));
    for (const auto& problem : file.problems) ADD_FAILURE() << problem.message;
    for (const auto& problem : pipeline::validate(file.definition, tools_))
      ADD_FAILURE() << problem.message;
    record::Recorder recorder(store_, {});
    auto feed = SignalFeed::start(recorder);
    EXPECT_TRUE(feed);
    feed_ = feed->get();
    Engine engine(recorder, artifacts_, tools_);
    return engine.run({.definition = file.definition,
                       .definition_text = json,
                       .folder = ".",
                       .payload = {},
                       .params = *pipeline::bind(file.definition.params, {}),
                       .signals = feed_,
                       .signal_policy = &policy_,
                       .pause_drain_timeout = pause_drain_timeout_,
                       .max_deferral = max_deferral_,
                       .jobs = jobs,
                       .stop = {},
                       .on_update = [this](const NodeUpdate& update) { note(update); }});
  }

  /// Of the run, without the process's own events; consistent.
  std::vector<Seen> of_run() {
    project::RunState state;
    std::vector<Seen> seen;
    for (auto& event : events()) {
      if (event.pipeline_id == "p") seen.push_back(std::move(event));
    }
    const auto read = store::read_all(store_, [&](const event::EventView& event) -> Result<void> {
      if (event.text(event::Field::kPipelineId) == "p") state.apply(event);
      return {};
    });
    EXPECT_TRUE(read);
    EXPECT_FALSE(state.is_inconsistent())
        << (state.forbidden.empty() ? "" : state.forbidden[0].why);
    state_ = state;
    return seen;
  }

  std::vector<std::string> decisions() {
    std::vector<std::string> decisions;
    for (auto& event : of_run()) {
      if (event.type.starts_with("signal_")) {
        decisions.push_back(
            event.members["signal_type"] + " " + event.type.substr(7) +
            (event.members.contains("error_code") ? " " + event.members["error_code"] : ""));
      }
    }
    return decisions;
  }

  static std::ptrdiff_t place_of(const std::vector<Seen>& events, const std::string& type,
                                 const std::string& node = {}) {
    const auto found = std::ranges::find_if(
        events, [&](const auto& one) { return one.type == type && one.node_id == node; });
    EXPECT_NE(found, events.end()) << type << " " << node;
    return found - events.begin();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> calls_;
  std::set<std::string> seen_;
  std::atomic<int> asked_ = 0;
  SignalFeed* feed_ = nullptr;
  SignalPolicy policy_;
  std::chrono::milliseconds pause_drain_timeout_ = std::chrono::minutes(5);
  std::chrono::milliseconds max_deferral_ = std::chrono::hours(24);
  project::RunState state_;
};

inline std::string with_asker(const std::string& asks, const std::string& nodes,
                              const std::string& more = "") {
  return R"({"id": "p", "on_failure": "continue", )" + more + R"("nodes": [
      {"id": "asker", "plugin_id": "x", "tool_id": "ask", "with": {"ask": [)" +
         asks + "]}}," + nodes + "]}";
}

}  // namespace weir::engine
