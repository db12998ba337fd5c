// weir_random_runs [CASES [FIRST_SEED]]: runs so many random pipelines, loses each run after one of
// its events, and goes on with it. Of each: the events come in an order that is allowed; after
// every event the engine stands where the log says; the run that was lost ends as the one that was
// not, and no tool that had committed is called again. The first case that is otherwise ends it,
// with its seed. A case by itself is lost after each of its events in turn.

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

#include "event/run_end.h"
#include "project/run_state.h"
#include "tests/random_runs/player.h"

namespace weir::random_runs {
namespace {

using Counts = std::map<std::string, int>;

/// Cases that held each thing.
struct Coverage {
  Counts modes;
  Counts signals;
  Counts crashes;  ///< by the last event before
  int retries = 0;
};

std::string type_of(const std::string& line) {
  constexpr std::string_view kKey = R"("event_type":")";
  const auto begin = line.find(kKey) + kKey.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

project::RunState state_after(const std::vector<std::string>& lines) {
  project::RunState state;
  event::Decoder decoder;
  for (const auto& line : lines) state.apply(**decoder.decode(line));
  return state;
}

/// After which event the run is lost: one of those that happened least until now.
std::size_t choose_crash(const std::vector<std::string>& lines, Counts& crashes,
                         std::mt19937_64& random) {
  std::size_t chosen = 1;
  int fewest = -1;
  const auto first = random() % (lines.size() - 1);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto place = (first + i) % (lines.size() - 1);
    const auto count = crashes[type_of(lines[place])];
    if (fewest >= 0 && count >= fewest) continue;
    fewest = count;
    chosen = place + 1;
  }
  ++crashes[type_of(lines[chosen - 1])];
  return chosen;
}

std::optional<std::string> compare(const RandomPipeline& pipeline, const PlayedRun& whole,
                                   const project::RunState& expected, const PlayedRun& taken_up,
                                   const project::RunState& state) {
  if (!state.is_finished()) return "the run that was taken up has no end";
  if (pipeline.ends_early) return {};
  if (state.state != expected.state) return "the runs end otherwise";
  if (json::to_text(whole.report->result) != json::to_text(taken_up.report->result)) {
    return "the results are others: " + json::to_text(whole.report->result) + " and " +
           json::to_text(taken_up.report->result);
  }
  for (const auto& node : expected.nodes) {
    const auto* other = state.find_node(node.node_id);
    if (other == nullptr || other->state != node.state)
      return "'" + node.node_id + "' ended otherwise";
  }
  return {};
}

/// By a guard.
bool is_wanted_again(const std::vector<std::string>& lines, const std::string& node) {
  const auto mark = R"("node_id":")" + node + '"';
  return std::ranges::any_of(lines, [&](const auto& line) {
    return type_of(line) == "pipeline_node_retry_scheduled" && line.contains(mark);
  });
}

std::optional<std::string> lose_and_take_up(const RandomPipeline& pipeline, const PlayedRun& whole,
                                            std::size_t crash) {
  std::vector<std::string> lines(whole.lines.begin(),
                                 whole.lines.begin() + static_cast<std::ptrdiff_t>(crash));
  const auto at_crash = state_after(lines);
  const auto taken_up = play(pipeline, lines);
  if (!taken_up.report) return "taking up: " + taken_up.report.error().message;
  for (const auto& node : at_crash.nodes) {
    const auto calls = taken_up.calls.find(node.node_id);
    if (node.state == project::State::kCompleted && calls != taken_up.calls.end() &&
        calls->second > 0 && !is_wanted_again(taken_up.lines, node.node_id)) {
      return "'" + node.node_id + "' had completed and was run again";
    }
  }
  lines.insert(lines.end(), taken_up.lines.begin(), taken_up.lines.end());
  if (auto fault = fault_in(lines)) return "after taking up: " + *fault;
  return compare(pipeline, whole, state_after(whole.lines), taken_up, state_after(lines));
}

std::optional<std::string> run_case(std::uint64_t seed, Coverage& coverage, bool is_talking) {
  std::mt19937_64 random(seed);
  const auto pipeline = random_pipeline(seed);
  if (is_talking) std::printf("%s\n", pipeline.text.c_str());
  const auto whole = play(pipeline, {});
  if (!whole.report) return whole.report.error().message;
  if (is_talking) {
    for (const auto& line : whole.lines) std::printf("%s\n", line.c_str());
  }
  if (auto fault = fault_in(whole.lines)) return fault;
  std::vector<std::string> lines;
  for (const auto& line : whole.lines) {
    if (event::ends_run(event::find_type(type_of(line)).value_or(event::Type::kCustom))) break;
    lines.push_back(line);
    // While a guard has others run again, the engine knows more than the log.
    if (pipeline.has_guard && type_of(line) == "pipeline_node_failed") break;
    if (auto other = difference(pipeline, lines)) {
      return "after event " + std::to_string(lines.size()) + ": " + *other;
    }
  }
  ++coverage.modes[pipeline.mode];
  for (const auto& signal : pipeline.asked_signals) ++coverage.signals[signal];
  for (const auto& [node, answer] : pipeline.answers) ++coverage.signals[answer];
  coverage.retries += std::ranges::any_of(whole.lines, [](const auto& line) {
    return type_of(line) == "pipeline_node_retry_scheduled";
  });
  if (!is_talking) {
    return lose_and_take_up(pipeline, whole, choose_crash(whole.lines, coverage.crashes, random));
  }
  for (std::size_t crash = 1; crash < whole.lines.size(); ++crash) {
    if (auto wrong = lose_and_take_up(pipeline, whole, crash)) {
      return "lost after event " + std::to_string(crash) + ": " + *wrong;
    }
  }
  return {};
}

void print(const char* what, const Counts& counts) {
  std::printf("%s:", what);
  for (const auto& [name, count] : counts) std::printf(" %s %d", name.c_str(), count);
  std::printf("\n");
}

/// A twentieth of many cases must have held each thing, a fortieth of few.
int judge(const Coverage& coverage, std::uint64_t cases) {
  const auto least = static_cast<int>(cases / (cases >= 10'000 ? 20 : 40));
  std::printf("cases with a retry: %d\n", coverage.retries);
  print("cases in each mode", coverage.modes);
  print("cases with each signal", coverage.signals);
  print("cases lost after each event", coverage.crashes);
  bool enough = coverage.retries >= least;
  for (const auto* counts : {&coverage.modes, &coverage.signals, &coverage.crashes}) {
    for (const auto& [name, count] : *counts) {
      if (count >= least) continue;
      std::printf("too few: %s\n", name.c_str());
      enough = false;
    }
  }
  if (!enough) return 1;
  std::printf("%llu cases: every promise kept\n", static_cast<unsigned long long>(cases));
  return 0;
}

int run_cases(std::uint64_t cases, std::uint64_t first) {
  Coverage coverage;
  for (auto seed = first; seed < first + cases; ++seed) {
    const auto wrong = run_case(seed, coverage, cases == 1);
    if (!wrong) continue;
    std::printf("seed %llu: %s\nto repeat: weir_random_runs 1 %llu\n",
                static_cast<unsigned long long>(seed), wrong->c_str(),
                static_cast<unsigned long long>(seed));
    return 1;
  }
  return cases < 1000 ? 0 : judge(coverage, cases);
}

bool read_number(const char* text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), number);
  return error == std::errc() && *end == '\0';
}

}  // namespace
}  // namespace weir::random_runs

int main(int argc, char** argv) {
  std::uint64_t cases = 10'000, first = 1;
  using weir::random_runs::read_number;
  if (argc > 3 || (argc > 1 && !read_number(argv[1], cases)) ||
      (argc > 2 && !read_number(argv[2], first))) {
    std::fprintf(stderr, "usage: weir_random_runs [CASES [FIRST_SEED]]\n");
    return 2;
  }
  return weir::random_runs::run_cases(cases, first);
}
