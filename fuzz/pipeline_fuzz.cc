// Pipelines: a file without problems has what a run needs, and a run of it starts every node at
// most once, after its predecessors, nothing after the first failure, and finishes once, last.

#include <algorithm>
#include <set>

#include "base/yaml.h"
#include "fuzz/input.h"
#include "fuzz/positions.h"
#include "pipeline/file.h"
#include "pipeline/scheduler.h"
#include "pipeline/validate.h"

namespace weir::pipeline {
namespace {

/// With the settings of the real one, so that the examples are seeds.
class QueryTool final : public tool::Tool {
 public:
  [[nodiscard]] const tool::ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<tool::Output, tool::Failure> run(const tool::Call&) override {
    return {};
  }

 private:
  tool::ToolSpec spec_{.plugin_id = "sql",
                       .tool_id = "query",
                       .settings = {{"query", tool::Setting::Kind::kString, true},
                                    {"inline_rows", tool::Setting::Kind::kInteger},
                                    {"files", tool::Setting::Kind::kStrings}}};
};

tool::Registry make_registry() {
  const auto nothing = [](const tool::Call&) { return json::Object(); };
  tool::Registry tools;
  tools.add(std::make_unique<QueryTool>());
  for (const char* plugin : {"process", "p"}) {
    for (const char* name : {"run", "t", "u"}) {
      tools.add(std::make_unique<tool::FunctionTool>(plugin, name, nothing));
    }
  }
  return tools;
}

/// Carries out the scheduler's commands and reports back, and holds it to what it promises.
class Simulation {
 public:
  Simulation(const Graph& graph, fuzz::Input choices)
      : graph_(graph), choices_(choices), scheduler_(graph), states_(graph.size()) {}

  void run() {
    report([&](auto& commands) { scheduler_.start(commands); });
    while (!finished_) {
      WEIR_CHECK(!running_.empty());  // otherwise it waits for ever
      step();
    }
    WEIR_CHECK(running_.empty());
    check_end();
    report([&](auto& commands) {
      scheduler_.stop(RunOutcome::kCancelled, commands);
    });  // too late: nothing happens
    check_end();
  }

 private:
  enum class State : std::uint8_t { kPending, kRunning, kCompleted, kFailed, kCancelled };

  void step() {
    const auto what = choices_.below(8);
    if (what == 7) {
      stop(RunOutcome::kCancelled);
      return report([&](auto& commands) { scheduler_.stop(RunOutcome::kCancelled, commands); });
    }
    const auto at = choices_.below(running_.size());
    const auto node = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    if (what == 6) {
      states_[node] = State::kFailed;
      if (!first_failed_) first_failed_ = node;
      stop(RunOutcome::kFailed);
      report([&](auto& commands) { scheduler_.failed(node, ErrorCategory::kPermanent, commands); });
    } else if (what == 5 && stopped_) {
      states_[node] = State::kCancelled;
      report([&](auto& commands) { scheduler_.cancelled(node, commands); });
    } else {
      states_[node] = State::kCompleted;
      report([&](auto& commands) { scheduler_.completed(node, commands); });
    }
  }

  /// The first reason to stop is the outcome; whoever runs then must be cancelled.
  void stop(RunOutcome outcome) {
    if (stopped_) return;
    stopped_ = outcome;
    to_cancel_ = {running_.begin(), running_.end()};
  }

  template <class Report>
  void report(Report&& report) {
    std::vector<Command> commands;
    report(commands);
    for (const auto& command : commands) carry_out(command);
    WEIR_CHECK(to_cancel_.empty());
  }

  void carry_out(const Command& command) {
    WEIR_CHECK(!finished_);
    switch (command.kind) {
      case Command::Kind::kStart:
        WEIR_CHECK(!stopped_);
        WEIR_CHECK(states_[command.step] == State::kPending);
        for (const auto predecessor : graph_.predecessors[command.step]) {
          // Nodes that streams join start together.
          WEIR_CHECK(states_[predecessor] == State::kCompleted ||
                     graph_.leader_of(predecessor) == graph_.leader_of(command.step));
        }
        states_[command.step] = State::kRunning;
        running_.push_back(command.step);
        break;
      case Command::Kind::kCancel:
        WEIR_CHECK(to_cancel_.erase(command.step) == 1);
        break;
      case Command::Kind::kFinishRun:
        WEIR_CHECK(running_.empty());
        finished_ = true;
        break;
      default:
        WEIR_CHECK(false);  // without rules, and failing fast, there is nothing else
    }
  }

  void check_end() const {
    WEIR_CHECK(scheduler_.outcome() == stopped_.value_or(RunOutcome::kCompleted));
    WEIR_CHECK(scheduler_.first_failed() == first_failed_);
    if (stopped_) return;
    WEIR_CHECK(std::ranges::all_of(states_, [](State s) { return s == State::kCompleted; }));
  }

  const Graph& graph_;
  fuzz::Input choices_;
  Scheduler scheduler_;
  std::vector<State> states_;
  std::vector<NodeIndex> running_;
  std::set<NodeIndex> to_cancel_;
  std::optional<RunOutcome> stopped_;
  std::optional<NodeIndex> first_failed_;
  bool finished_ = false;
};

bool names_node(const Reference& reference, const Definition& definition) {
  return std::ranges::any_of(
      definition.nodes, [&](const Node& node) { return node.id.text == reference.path.front(); });
}

/// What the engine takes for granted of a definition without problems.
void check_definition(const Definition& definition, const tool::Registry& tools) {
  std::set<std::string_view> ids;
  for (const auto& node : definition.nodes) {
    WEIR_CHECK(!node.id.text.empty() && ids.insert(node.id.text).second);
    if (!node.pipeline.empty()) continue;
    const auto* found = tools.find(node.plugin_id.text, node.tool_id.text);
    WEIR_CHECK(found != nullptr);
    for (const auto& setting : found->spec().settings) {
      WEIR_CHECK(!setting.required || node.with.find(setting.name) != nullptr);
    }
    WEIR_CHECK(node.has_references == has_references(node.with));
    for (const auto& reference : node.references) {
      if (reference.root == Reference::Root::kNodes) WEIR_CHECK(names_node(reference, definition));
    }
  }
  for (const auto& edge : definition.edges) {
    WEIR_CHECK(ids.contains(edge.from.text) && ids.contains(edge.to.text));
  }
  for (const auto* ends : {&definition.entry_nodes, &definition.output_nodes}) {
    WEIR_CHECK(std::ranges::all_of(*ends, [&](const auto& end) { return ids.contains(end.text); }));
  }
  WEIR_CHECK(!definition.nodes.empty() && !definition.entry_nodes.empty());
}

void check_problems(const std::vector<Problem>& problems, const fuzz::Positions& positions) {
  for (const auto& problem : problems) {
    WEIR_CHECK(positions.offset(problem.position));
    WEIR_CHECK(!problem.message.empty());
  }
}

void check_cycles(const Graph& graph) {
  const auto cycles = graph.find_cycles();
  WEIR_CHECK(graph.has_cycle() == !cycles.empty());
  std::vector<bool> met(graph.size());
  for (const auto& cycle : cycles) {
    WEIR_CHECK(!cycle.empty());
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      const auto& successors = graph.successors[cycle[i]];
      WEIR_CHECK(std::ranges::find(successors, cycle[(i + 1) % cycle.size()]) != successors.end());
      WEIR_CHECK(!met[cycle[i]]);
      met[cycle[i]] = true;
    }
  }
}

void check_value(const json::Value& value, std::string_view text, fuzz::Input choices) {
  static const auto kTools = make_registry();
  const auto file = read_definition(value);
  const auto problems = validate(file.definition, kTools);
  const fuzz::Positions positions(text);
  check_problems(file.problems, positions);
  check_problems(problems, positions);
  const Graph graph(file.definition);
  check_cycles(graph);
  if (!file.problems.empty() || !problems.empty()) return;
  WEIR_CHECK(!graph.has_cycle());
  check_definition(file.definition, kTools);
  Simulation(graph, choices).run();
}

/// The pipeline ends at the first zero byte, what follows are the choices.
void check(std::string_view input) {
  const auto end = std::min(input.find('\0'), input.size());
  const auto text = input.substr(0, end);
  const fuzz::Input choices(input.substr(std::min(end + 1, input.size())));
  if (const auto value = json::parse(text)) check_value(*value, text, choices);
  if (const auto value = yaml::parse(text)) check_value(*value, text, choices);
}

}  // namespace
}  // namespace weir::pipeline

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  weir::pipeline::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
