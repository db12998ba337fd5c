#include "tests/random_runs/cast.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tool/jitter_buffer.h"
#include "tool/own_event.h"
#include "tool/provider_call.h"

namespace weir::random_runs {
namespace {

using engine::NodeUpdate;
using engine::SignalRequest;
using project::State;

/// What a put or a get that failed throws.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// Writes and reads the streams of a node, if it has any.
void carry_chunks(const tool::Call& call) {
  const auto* chunks = call.with.find("chunks");
  for (const auto& writer : call.streams_out) {
    for (std::int64_t i = 0; i < *chunks->integer(); ++i) {
      if (must(writer.put("chunk")) == tool::Put::kClosed) break;
    }
  }
  if (call.streams_in.empty()) return;
  // So that the writer meets a full stream.
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const auto* limit = call.with.find("reads");
  for (const auto& reader : call.streams_in) {
    for (std::int64_t read = 0; limit == nullptr || read < *limit->integer(); ++read) {
      if (!must(reader.get())) break;
    }
  }
}

/// Until its time is over, or its run ends.
void wait_for_stop(const tool::Call& call) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any stopped;
  stopped.wait(lock, call.stop, [] { return false; });
}

/// More than there is room for, less than is wanted, and then enough.
void play_sound(const tool::Call& call) {
  using std::chrono::milliseconds;
  tool::JitterBuffer buffer({.target = milliseconds(1), .max = milliseconds(1)}, call.stream_event);
  must(buffer.add(std::string(64, 's')));
  static_cast<void>(buffer.read(milliseconds(2)));
  must(buffer.add(std::string(32, 's')));
  static_cast<void>(buffer.read(milliseconds(1)));
}

tool::OwnEvent notification() {
  tool::OwnEvent event{.type = "notification"};
  event.members.set("message", "something to tell a person");
  return event;
}

tool::OwnEvent agent_run() {
  tool::OwnEvent event{.type = "agent_run"};
  event.members.set("agent_id", "drafter");
  event.members.set("outcome", "completed");
  return event;
}

}  // namespace

std::string call_key(std::string_view run_id, std::string_view node_id) {
  return std::string(run_id) + "/" + std::string(node_id);
}

Cast::Cast(const RandomPipeline& pipeline, const artifact::ArtifactStore& artifacts,
           const std::map<std::string, project::RunState>& before)
    : pipeline_(pipeline), artifacts_(artifacts), answers_of_("answer-") {
  for (const auto* name : {"play", "other", "denied"}) {
    tools_.add(std::make_unique<tool::FunctionTool>(
        "x", name, [this](const tool::Call& call) { return run(call); }));
  }
  tools_.add(std::make_unique<tool::FunctionTool>(
      "x", "undo", [this](const tool::Call& call) { return undo(call); }));
  for (const auto& [id, state] : before) {
    answers_of_ += std::to_string(state.last_run_seq) + "-";
    for (const auto& node : state.nodes) {
      for (const auto& attempt : node.attempts) {
        if (attempt.state == State::kFailed) ++calls_[call_key(id, node.node_id)];
      }
    }
    if (const auto* retried = state.find_node(pipeline.retried_node)) {
      is_hold_free_ = retried->state == State::kCompleted ||
                      (retried->state == State::kFailed && pipeline.mode != "continue");
    }
  }
  earlier_ = calls_;
}

std::map<std::string, int> Cast::calls() {
  const std::lock_guard lock(mutex_);
  auto calls = calls_;
  for (const auto& [node, count] : earlier_) calls[node] -= count;
  return calls;
}

std::map<std::string, int> Cast::undos() {
  const std::lock_guard lock(mutex_);
  return undos_;
}

void Cast::update(const NodeUpdate& update) {
  const std::string node(update.node_id);
  bool retry = false, free = false;
  {
    const std::lock_guard lock(mutex_);
    if (node == pipeline_.retried_node && update.kind == NodeUpdate::Kind::kFailed) {
      retry = true;
      is_hold_free_ = is_hold_free_ || pipeline_.mode != "continue";
    }
    if (node == pipeline_.retried_node && update.kind == NodeUpdate::Kind::kCompleted) {
      is_hold_free_ = true;
    }
    if (update.kind == NodeUpdate::Kind::kAsked && node == "hold") is_hold_asked_ = true;
    free = is_hold_free_ && is_hold_asked_;
    if (free) is_hold_asked_ = false;
  }
  if (retry) ask(retry_request());
  if (free) answer("hold");
  if (update.kind == NodeUpdate::Kind::kAsked && node != "hold") answer(node);
}

SignalRequest Cast::retry_request() const {
  return {
      .run = run_, .signal_id = "retry", .type = "retry-step", .node_id = pipeline_.retried_node};
}

void Cast::answer(const std::string& node) {
  // A guard may have the node run again: then it asks again.
  const int number = [&] {
    const std::lock_guard lock(mutex_);
    return ++answers_;
  }();
  ask({.run = run_,
       .signal_id = answers_of_ + std::to_string(number),
       .type = pipeline_.answers.at(node),
       .node_id = node});
}

void Cast::ask(SignalRequest request) {
  static_cast<void>(feed_->ask(std::move(request), artifacts_));
}

json::Object Cast::run(const tool::Call& call) {
  const std::string id(call.node_id);
  const int number = [&] {
    const std::lock_guard lock(mutex_);
    return ++calls_[call_key(call.run_id, call.node_id)];
  }();
  if (const auto* words = call.with.find("tells")) {
    for (const auto& word : *words->array()) tell(call, *word.string());
  }
  if (const auto* asks = call.with.find("asks")) {
    for (const auto& one : *asks->array()) ask_for(call, *one.object());
  }
  carry_chunks(call);
  if (call.with.find("hangs") != nullptr) wait_for_stop(call);
  if (call.stop.stop_requested()) throw std::runtime_error("stopped");
  const auto* fail = call.with.find("fail");
  if (fail != nullptr && number <= *fail->integer()) throw std::runtime_error("not yet");
  json::Object output;
  const auto* value = call.with.find("value");
  output.set(id, value != nullptr ? *value : json::Value("done"));
  return output;
}

json::Object Cast::undo(const tool::Call& call) {
  {
    const std::lock_guard lock(mutex_);
    ++undos_[call_key(call.run_id, call.node_id)];
  }
  if (*call.with.find("fails")->boolean()) throw std::runtime_error("it cannot be taken back");
  return {};
}

void Cast::tell(const tool::Call& call, const std::string& word) const {
  if (word == "line") call.log({.message = "something", .logger = "x"});
  if (word == "agent") must(call.emit(agent_run()));
  if (word == "own event") must(call.emit({.type = "x.told"}));
  if (word == "notification") must(call.emit(notification()));
  if (word == "sound") play_sound(call);
  if (word == "artifact") {
    call.kept({.name = "page", .hash = must(artifacts_.put("page")), .size_bytes = 4, .rows = {}});
  }
  if (word != "call" && word != "failed call") return;
  tool::ProviderCall provider_call(call, {.operation = "chat", .provider = "acme"});
  if (word == "call") return provider_call.completed();
  provider_call.failed({.type = "Busy", .message = "later", .exit_code = {}, .usage = {}});
}

void Cast::ask_for(const tool::Call& call, const json::Object& what) {
  SignalRequest request{.run = *RunId::parse(call.run_id),
                        .signal_id = *what.find("id")->string(),
                        .type = *what.find("type")->string(),
                        .reason = "because"};
  if (const auto* node = what.find("node")) request.node_id = *node->string();
  if (request.type == "inject-override") {
    json::Object output;
    output.set(request.node_id, "overridden");
    request.payload.set("output", std::move(output));
  }
  if (request.type == "update-target") request.payload.set("target", "x.other");
  if (request.type == "escalate-alert") request.payload.set("level", "INFO");
  if (request.type == "update-params") {
    json::Object params;
    params.set("v", 2);
    request.payload.set("params", std::move(params));
  }
  ask(std::move(request));
}

}  // namespace weir::random_runs
