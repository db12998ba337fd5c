#include "tests/random_runs/player.h"

#include <filesystem>
#include <fstream>

#include "engine/circuit_breakers.h"
#include "engine/execution.h"
#include "event/run_end.h"
#include "pipeline/file.h"
#include "pipeline/validate.h"
#include "project/order_checker_testing.h"
#include "store/history.h"
#include "tests/random_runs/cast.h"

namespace weir::random_runs {
namespace {

using engine::NodeUpdate;
using event::Field;
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

std::filesystem::path cache_of(const Scratch& scratch) { return scratch.store.root() / "cache"; }

/// What the run and those that its nodes began have recorded, and what the process has said of it.
void read_lines(PlayedRun& played, const log::StoreDirectory& store, const std::string& run) {
  const auto about = R"("target_run_id":")" + run + '"';
  const auto segments = store.segments();
  WEIR_CHECK(segments);
  for (const auto& segment : *segments) {
    std::ifstream file(segment);
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("{\"timestamp\"")) continue;
      if (line.contains(R"("pipeline_type":"dag")")) {
        played.lines.push_back(line);
      } else if (line.contains("\"alert_fired\"") && line.contains(about)) {
        ++played.alerts;
      }
    }
  }
}

engine::RecordedRun recorded(const std::vector<std::string>& lines, const RunId& run) {
  engine::RecordedRun recorded;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    if ((*event)->run_id() == run) recorded.apply(**event);
  }
  return recorded;
}

bool ends(const std::string& line, const std::string& run) {
  return event::ends_run(event::find_type(type_of(line)).value_or(event::Type::kCustom)) &&
         line.contains(R"("run_id":")" + run + '"');
}

/// People write no wrong pipeline: nothing is shown by it.
pipeline::File read_pipeline(const std::string& text) {
  auto file = pipeline::read_definition(*json::parse(text));
  file.text = text;
  for (const auto& problem : file.problems) std::fprintf(stderr, "%s\n", problem.message.c_str());
  WEIR_CHECK(file.problems.empty());
  return file;
}

void check_meaning(const pipeline::File& file, const tool::Registry& tools) {
  const auto problems = pipeline::validate(file.definition, tools);
  for (const auto& problem : problems) {
    std::fprintf(stderr, "%s\n%s\n", problem.message.c_str(), file.text.c_str());
  }
  WEIR_CHECK(problems.empty());
}

/// That says all.
const record::Loggers& talkative() {
  static const auto loggers = [] {
    auto made = std::make_unique<record::Loggers>();
    WEIR_CHECK(made->set_level("pipeline_dag", event::Level::kDebug));
    return made;
  }();
  return *loggers;
}

}  // namespace

Scratch::Scratch() : store(*log::StoreDirectory::create(scratch_folder())) {}

Scratch::~Scratch() {
  std::error_code error;
  std::filesystem::remove_all(store.root(), error);
}

std::string type_of(const std::string& line) {
  constexpr std::string_view kKey = R"("event_type":")";
  const auto begin = line.find(kKey) + kKey.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

std::map<std::string, project::RunState> states_of(std::span<const std::string> lines) {
  std::map<std::string, project::RunState> states;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto& event = **decoder.decode(line);
    states[std::string(event.text(Field::kRunId))].apply(event);
  }
  return states;
}

// ---- playing
// ------------------------------------------------------------------------------------

Player::Player(const RandomPipeline& pipeline)
    : pipeline_(pipeline),
      artifacts_(scratch_.store.artifacts()),
      file_(read_pipeline(pipeline.text)) {
  const Cast cast(pipeline, artifacts_, {});
  check_meaning(file_, cast.tools());
  for (const auto& [id, text] : pipeline.children) {
    auto file = read_pipeline(text);
    check_meaning(file, cast.tools());
    children_[id] = std::make_shared<const engine::SubPipeline>(
        engine::SubPipeline{.file = std::move(file), .path = {}});
  }
  if (!pipeline.known_text.empty()) fill_cache();
}

/// An earlier run has.
void Player::fill_cache() {
  const auto file = read_pipeline(pipeline_.known_text);
  Cast cast(pipeline_, artifacts_, {});
  record::Recorder recorder(scratch_.store, {});
  const auto report = engine::Engine(recorder, artifacts_, cast.tools())
                          .run({.definition = file.definition,
                                .definition_text = file.text,
                                .folder = ".",
                                .payload = {},
                                .params = *pipeline::bind(file.definition.params, {}),
                                .stop = {},
                                .on_update = {}});
  WEIR_CHECK(report && report->outcome == pipeline::RunOutcome::kCompleted);
}

Result<engine::LostRun> Player::take_child(const log::StoreDirectory& store, const RunId& run,
                                           const std::vector<std::string>& before) const {
  WEIR_TRY(auto lock, log::RunLock::take(store, run));
  engine::LostRun lost{.owned = {.lock = std::move(lock), .recorded = recorded(before, run)},
                       .pipeline = {},
                       .payload = {},
                       .params = {}};
  const auto& past = lost.owned.recorded;
  if (past.engine_attempt == 0) return lost;
  lost.pipeline = *children_.at(past.pipeline_id);
  lost.params = past.params;
  WEIR_TRY(const auto input, artifacts_.get(*past.input_sha256, tool::kMaxPayloadBytes));
  lost.payload = *json::parse(input)->object();
  return lost;
}

/// One process that has the run.
class Player::Stage {
 public:
  /// All of them outlive it.
  Stage(const Player& player, const std::vector<std::string>& before,
        const std::map<std::string, project::RunState>& states)
      : player_(player),
        before_(before),
        states_(states),
        cast_(player.pipeline_, player.artifacts_, states) {
    if (player.pipeline_.known_text.empty()) return;
    std::filesystem::copy(cache_of(player.scratch_), cache_of(scratch_),
                          std::filesystem::copy_options::recursive);
  }

  void set_run(const RunId& run) { cast_.set_run(run); }

  PlayedRun run() {
    PlayedRun played{.held = HeldStates(player_.pipeline_.ids)};
    {
      record::Recorder recorder(scratch_.store, {});
      const auto feed = engine::SignalFeed::start(recorder);
      WEIR_CHECK(feed);
      cast_.follow(**feed);
      std::optional<engine::OwnedRun> owned;
      if (!before_.empty()) take(owned, recorder);
      played.report = carry_out(recorder, **feed, owned ? &*owned : nullptr, played.held);
    }
    played.calls = cast_.calls();
    played.undos = cast_.undos();
    if (!played.report) return played;
    const auto run = played.report->run_id.text();
    read_lines(played, scratch_.store, run);
    while (played.end + 1 < played.lines.size() && !ends(played.lines[played.end], run)) {
      ++played.end;
    }
    return played;
  }

 private:
  void take(std::optional<engine::OwnedRun>& owned, record::Recorder& recorder) {
    auto past = recorded(before_, cast_.run());
    auto lock = log::RunLock::take(scratch_.store, past.run_id);
    WEIR_CHECK(lock);
    owned.emplace(engine::OwnedRun{.lock = *std::move(lock), .recorded = std::move(past)});
    const auto& state = states_.at(cast_.run().text());
    const auto* retried = state.find_node(player_.pipeline_.retried_node);
    if (retried == nullptr || retried->state != State::kFailed || state.is_finished()) return;
    auto request = cast_.retry_request();
    WEIR_CHECK(engine::record_request(request, recorder, player_.artifacts_));
    const auto heard = store::read_mentions(scratch_.store, cast_.run(),
                                            [&](const event::EventView& event) -> Result<void> {
                                              owned->recorded.apply(event);
                                              return {};
                                            });
    WEIR_CHECK(heard && owned->recorded.requests.size() == 1);
  }

  Result<engine::RunReport> carry_out(record::Recorder& recorder, engine::SignalFeed& feed,
                                      engine::OwnedRun* owned, HeldStates& held) {
    const engine::SubPipelines sub_pipelines{
        .find =
            [this](const std::string& id) -> Result<std::shared_ptr<const engine::SubPipeline>> {
          return player_.children_.at(id);
        },
        .take =
            [this](const RunId& run, const std::string&) {
              return player_.take_child(scratch_.store, run, before_);
            }};
    engine::CircuitBreakers breakers;
    const auto& file = player_.file_;
    return engine::Engine(recorder, player_.artifacts_, cast_.tools())
        .run({.definition = file.definition,
              .definition_text = file.text,
              .folder = ".",
              .payload = {},
              .params = *pipeline::bind(file.definition.params, {}),
              .run_id = cast_.run(),
              .owned = owned,
              .execution_mode = player_.pipeline_.execution_mode,
              .signals = &feed,
              .jobs = player_.pipeline_.jobs,
              .loggers = player_.pipeline_.says_io ? &talkative() : nullptr,
              .circuit_breakers = &breakers,
              .stop = {},
              .on_update = [this](const NodeUpdate& update) { cast_.update(update); },
              .watcher = &held,
              .sub_pipelines = &sub_pipelines});
  }

  const Player& player_;
  const std::vector<std::string>& before_;
  const std::map<std::string, project::RunState>& states_;
  const Scratch scratch_;
  Cast cast_;
};

PlayedRun Player::play() {
  const std::vector<std::string> before;
  const std::map<std::string, project::RunState> states;
  return Stage(*this, before, states).run();
}

PlayedRun Player::take_up(const RunId& run, const std::vector<std::string>& before,
                          const std::map<std::string, project::RunState>& states) {
  Stage stage(*this, before, states);
  stage.set_run(run);
  return stage.run();
}

// ---- looking
// ------------------------------------------------------------------------------------

namespace {

std::optional<std::string> fault_of(const project::RunState& state) {
  if (state.is_inconsistent()) {
    return state.forbidden[0].event_type + " of '" + state.forbidden[0].node_id +
           "': " + state.forbidden[0].why;
  }
  if (state.is_stale()) return "events are missing";
  return {};
}

}  // namespace

std::optional<std::string> fault_in(const std::vector<std::string>& lines,
                                    std::map<std::string, project::RunState>& states) {
  std::map<std::string, project::testing_support::OrderChecker> orders;
  event::Decoder decoder;
  for (const auto& line : lines) {
    const auto event = decoder.decode(line);
    if (!event) return "no event: " + line;
    const std::string run((*event)->text(Field::kRunId));
    if (!orders[run].allows(**event)) return "may not come now: " + line;
    states[run].apply(**event);
  }
  for (const auto& [id, state] : states) {
    if (auto fault = fault_of(state)) return "run " + id + ": " + *fault;
  }
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

std::optional<std::string> Player::difference(const engine::RecordedRun& past,
                                              const project::RunState& state) const {
  static Scratch scratch;
  static record::Recorder recorder(scratch.store, {});
  static const auto run = recorder.begin({.run_id = RunId::make(system_clock().now()),
                                          .pipeline_type = "dag",
                                          .pipeline_id = "p",
                                          .pipeline_version = "1",
                                          .trace_id = TraceId::make()});
  const Cast cast(pipeline_, artifacts_, {});
  const engine::RunRequest request{.definition = file_.definition,
                                   .definition_text = file_.text,
                                   .folder = ".",
                                   .payload = {},
                                   .params = *pipeline::bind(file_.definition.params, {}),
                                   .stop = {},
                                   .on_update = {}};
  const auto place = engine::place_of_recorded_run(past, scratch.store.root());
  engine::Engine engine(recorder, artifacts_, cast.tools());
  engine::ChildRuns children(engine, request, **run, 0, place);
  engine::Execution execution(request, cast.tools(),
                              {.artifacts = artifacts_, .redactor = engine::default_redactor()},
                              **run, place, children);
  if (const auto taken = execution.take_up(past); !taken) return taken.error().message;
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
