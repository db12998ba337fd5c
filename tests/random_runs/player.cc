#include "tests/random_runs/player.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "engine/execution.h"
#include "event/run_end.h"
#include "pipeline/file.h"
#include "project/order_checker_testing.h"
#include "project/run_state.h"
#include "store/history.h"

namespace weir::random_runs {
namespace {

using engine::NodeUpdate;
using engine::SignalRequest;
using project::State;

/// In memory where there is such a place: thousands of runs wait for no disk.
std::filesystem::path scratch_folder() {
  std::error_code error;
  const std::filesystem::path memory = "/dev/shm";
  const auto parent = std::filesystem::is_directory(memory, error)
                          ? memory
                          : std::filesystem::temp_directory_path();
  return parent / ("weir-random-" + std::to_string(random_bits()));
}

class Scratch {
 public:
  Scratch() : store(*log::StoreDirectory::create(scratch_folder())) {}
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(store.root(), error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const log::StoreDirectory store;
};

/// What the run has recorded, and what its process has said of it.
void read_lines(PlayedRun& played, const log::StoreDirectory& store, const std::string& run) {
  const auto own = R"("run_id":")" + run + '"';
  const auto about = R"("target_run_id":")" + run + '"';
  const auto segments = store.segments();
  WEIR_CHECK(segments);
  for (const auto& segment : *segments) {
    std::ifstream file(segment);
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("{\"timestamp\"")) continue;
      if (line.contains(own)) {
        played.lines.push_back(line);
      } else if (line.contains("\"alert_fired\"") && line.contains(about)) {
        ++played.alerts;
      }
    }
  }
}

project::RunState state_of(const std::vector<std::string>& lines) {
  project::RunState state;
  event::Decoder decoder;
  for (const auto& line : lines) state.apply(**decoder.decode(line));
  return state;
}

engine::RecordedRun recorded(const std::vector<std::string>& lines) {
  engine::RecordedRun run;
  event::Decoder decoder;
  for (const auto& line : lines) run.apply(**decoder.decode(line));
  return run;
}

/// The tools of a run, and the people around it.
class Players {
 public:
  Players(const RandomPipeline& pipeline, const artifact::ArtifactStore& artifacts,
          const std::vector<std::string>& before)
      : pipeline_(pipeline), artifacts_(artifacts) {
    for (const auto* name : {"play", "other"}) {
      tools_.add(std::make_unique<tool::FunctionTool>(
          "x", name, [this](const tool::Call& call) { return run(call); }));
    }
    tools_.add(std::make_unique<tool::FunctionTool>(
        "x", "undo", [this](const tool::Call& call) { return undo(call); }));
    const auto state = state_of(before);
    for (const auto& node : state.nodes) {
      for (const auto& attempt : node.attempts) {
        if (attempt.state == State::kFailed) ++calls_[node.node_id];
      }
    }
    earlier_ = calls_;
    if (const auto* retried = state.find_node(pipeline.retried_node)) {
      is_hold_free_ = retried->state == State::kCompleted ||
                      (retried->state == State::kFailed && pipeline.mode != "continue");
    }
  }

  [[nodiscard]] const tool::Registry& tools() const { return tools_; }
  void follow(engine::SignalFeed& feed) { feed_ = &feed; }
  void set_run(const RunId& run) { run_ = run; }
  [[nodiscard]] const RunId& run() const { return run_; }

  /// How often each was called here.
  [[nodiscard]] std::map<std::string, int> calls() {
    const std::lock_guard lock(mutex_);
    auto calls = calls_;
    for (const auto& [node, count] : earlier_) calls[node] -= count;
    return calls;
  }

  [[nodiscard]] std::map<std::string, int> undos() {
    const std::lock_guard lock(mutex_);
    return undos_;
  }

  void update(const NodeUpdate& update) {
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
    }
    if (retry) ask(retry_request());
    if (free) answer("hold");
    if (update.kind == NodeUpdate::Kind::kAsked && node != "hold") answer(node);
  }

  [[nodiscard]] SignalRequest retry_request() {
    return {
        .run = run_, .signal_id = "retry", .type = "retry-step", .node_id = pipeline_.retried_node};
  }

 private:
  void answer(const std::string& node) {
    ask({.run = run_,
         .signal_id = "answer-" + node,
         .type = pipeline_.answers.at(node),
         .node_id = node});
  }
  void ask(SignalRequest request) { static_cast<void>(feed_->ask(std::move(request), artifacts_)); }

  json::Object run(const tool::Call& call) {
    const std::string id(call.node_id);
    const int number = [&] {
      const std::lock_guard lock(mutex_);
      return ++calls_[id];
    }();
    if (const auto* word = call.with.find("says")) {
      call.log({.level = event::Level::kInfo, .message = *word->string(), .logger = "x"});
    }
    for (const auto& one : *call.with.find("ask")->array()) ask_for(call, *one.object());
    if (call.stop.stop_requested()) throw std::runtime_error("stopped");
    const auto* fail = call.with.find("fail");
    if (fail != nullptr && number <= *fail->integer()) throw std::runtime_error("not yet");
    json::Object output;
    const auto* value = call.with.find("value");
    output.set(id, value != nullptr ? *value : json::Value("done"));
    return output;
  }

  json::Object undo(const tool::Call& call) {
    {
      const std::lock_guard lock(mutex_);
      ++undos_[std::string(call.node_id)];
    }
    if (*call.with.find("fails")->boolean()) throw std::runtime_error("it cannot be taken back");
    return {};
  }

  void ask_for(const tool::Call& call, const json::Object& what) {
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

  const RandomPipeline& pipeline_;
  const artifact::ArtifactStore& artifacts_;
  tool::Registry tools_;
  engine::SignalFeed* feed_ = nullptr;
  RunId run_ = RunId::make(system_clock().now());
  std::mutex mutex_;
  std::map<std::string, int> calls_;  // guarded by mutex_, as is the rest
  std::map<std::string, int> undos_;
  std::map<std::string, int> earlier_;  // by the process that was lost
  bool is_hold_free_ = false;
  bool is_hold_asked_ = false;
};

}  // namespace

std::string type_of(const std::string& line) {
  constexpr std::string_view kKey = R"("event_type":")";
  const auto begin = line.find(kKey) + kKey.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

namespace {

bool ends_run(const std::string& line) {
  return event::ends_run(event::find_type(type_of(line)).value_or(event::Type::kCustom));
}

}  // namespace

PlayedRun play(const RandomPipeline& pipeline, const std::vector<std::string>& before) {
  const Scratch scratch;
  const artifact::ArtifactStore artifacts(scratch.store.artifacts());
  const auto file = pipeline::read_definition(*json::parse(pipeline.text));
  Players players(pipeline, artifacts, before);
  PlayedRun played{.held = HeldStates(pipeline.ids)};
  {
    record::Recorder recorder(scratch.store, {});
    const auto feed = engine::SignalFeed::start(recorder);
    WEIR_CHECK(feed);
    players.follow(**feed);
    std::optional<engine::OwnedRun> owned;
    if (!before.empty()) {
      auto run = recorded(before);
      auto lock = log::RunLock::take(scratch.store, run.run_id);
      WEIR_CHECK(lock);
      owned.emplace(engine::OwnedRun{.lock = *std::move(lock), .recorded = std::move(run)});
      players.set_run(owned->recorded.run_id);
      const auto state = state_of(before);
      const auto* retried = state.find_node(pipeline.retried_node);
      if (retried != nullptr && retried->state == State::kFailed) {
        auto request = players.retry_request();
        WEIR_CHECK(engine::record_request(request, recorder, artifacts));
        const auto heard = store::read_mentions(scratch.store, players.run(),
                                                [&](const event::EventView& event) -> Result<void> {
                                                  owned->recorded.apply(event);
                                                  return {};
                                                });
        WEIR_CHECK(heard && owned->recorded.requests.size() == 1);
      }
    }
    engine::Engine engine(recorder, artifacts, players.tools());
    played.report =
        engine.run({.definition = file.definition,
                    .definition_text = pipeline.text,
                    .folder = ".",
                    .payload = {},
                    .params = *pipeline::bind(file.definition.params, {}),
                    .run_id = players.run(),
                    .owned = owned ? &*owned : nullptr,
                    .signals = feed->get(),
                    .jobs = pipeline.jobs,
                    .stop = {},
                    .on_update = [&](const NodeUpdate& update) { players.update(update); },
                    .watcher = &played.held});
  }
  played.calls = players.calls();
  played.undos = players.undos();
  if (!played.report) return played;
  read_lines(played, scratch.store, played.report->run_id.text());
  while (played.end + 1 < played.lines.size() && !ends_run(played.lines[played.end])) ++played.end;
  return played;
}

std::optional<std::string> fault_in(const std::vector<std::string>& lines) {
  project::testing_support::OrderChecker order;
  project::RunState state;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    if (!event) return "no event: " + line;
    if (!order.allows(**event)) return "may not come now: " + line;
    state.apply(**event);
  }
  if (state.is_inconsistent()) {
    return state.forbidden[0].event_type + " of '" + state.forbidden[0].node_id +
           "': " + state.forbidden[0].why;
  }
  if (state.is_stale()) return "events are missing";
  return {};
}

namespace {

/// Whether the engine stands where the log says; what the log does not say yet it may know already.
bool agree(State recorded, const engine::Execution::Standing& standing) {
  using S = pipeline::Scheduler::State;
  switch (recorded) {
    case State::kPending:
      return !standing.has_begun && !standing.is_lost;
    case State::kRunning:
      return standing.state == S::kRunning || standing.state == S::kCompleted ||
             standing.state == S::kAsked || standing.state == S::kPreparing;
    case State::kCompleted:
      return standing.state == S::kCompleted;
    case State::kFailed:
      return standing.state == S::kFailed || standing.state == S::kWaiting;
    case State::kSkipped:  // a node for each of no items is, and has made an empty list, unless the
                           // run was ending
      return standing.state == S::kSkipped || standing.state == S::kCompleted ||
             standing.state == S::kCancelled;
    case State::kCancelled:
      return standing.state == S::kCancelled;
  }
  return false;
}

}  // namespace

std::optional<std::string> difference(const RandomPipeline& pipeline,
                                      const std::vector<std::string>& lines) {
  static Scratch scratch;
  static const artifact::ArtifactStore artifacts(scratch.store.artifacts());
  static record::Recorder recorder(scratch.store, {});
  static const auto run = recorder.begin({.run_id = RunId::make(system_clock().now()),
                                          .pipeline_type = "dag",
                                          .pipeline_id = "p",
                                          .pipeline_version = "1",
                                          .trace_id = TraceId::make()});
  const auto file = pipeline::read_definition(*json::parse(pipeline.text));
  const Players players(pipeline, artifacts, {});
  const auto past = recorded(lines);
  const engine::RunRequest request{.definition = file.definition,
                                   .definition_text = pipeline.text,
                                   .folder = ".",
                                   .payload = {},
                                   .params = *pipeline::bind(file.definition.params, {}),
                                   .stop = {},
                                   .on_update = {}};
  const auto place = engine::place_of_recorded_run(past, scratch.store.root());
  engine::Engine engine(recorder, artifacts, players.tools());
  engine::ChildRuns children(engine, request, **run, 0);
  engine::Execution execution(request, players.tools(),
                              {.artifacts = artifacts, .redactor = engine::default_redactor()},
                              **run, place, children);
  if (const auto taken = execution.take_up(past); !taken) return taken.error().message;
  const auto state = state_of(lines);
  for (const auto& node : state.nodes) {
    const auto standing = execution.standing(node.node_id);
    if (!standing) return "the engine does not know '" + node.node_id + "'";
    if (agree(node.state, *standing)) continue;
    return "'" + node.node_id + "' is " + std::string(to_string(node.state)) +
           " in the log, and in the engine " + std::to_string(static_cast<int>(standing->state)) +
           (standing->has_begun ? ", begun" : "");
  }
  return {};
}

}  // namespace weir::random_runs
