// weir_random_runs [CASES [FIRST_SEED]]: runs so many random pipelines, loses each run after some
// of its events, and goes on with it each time. Of each: the events come in an order that is
// allowed; what the engine holds whenever the run has moved is what its events say; who takes the
// run up after any event stands where they say; a run that was lost ends as the one that was not,
// and no tool that had committed is called again. The events of the runs that its nodes begin are
// among its own: it is lost after those too, and they go on with it. The first case that is
// otherwise ends it, with its seed. A case by itself is lost after each of its events in turn.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "project/run_state.h"
#include "tests/random_runs/coverage.h"
#include "tests/random_runs/player.h"

namespace weir::random_runs {
namespace {

/// How often each run is lost: the more often, the fewer runs were lost after its events.
constexpr int kMinLosses = 2;
constexpr int kMaxLosses = 4;
/// Of fewer cases what they hold is printed, and not demanded.
constexpr std::uint64_t kEnoughToJudge = 10'000;

/// A run that was not lost, and how it and those that its nodes began ended.
struct Whole {
  const PlayedRun& played;
  const std::string id;
  const std::map<std::string, project::RunState> states;
};

/// After which event the run is lost: one of those that happened least until now.
std::size_t choose_loss(const PlayedRun& whole, const Coverage& coverage, std::mt19937_64& random) {
  std::size_t chosen = 1;
  int fewest = -1;
  const auto places = whole.lines.size();
  const auto first = random() % places;
  for (std::size_t i = 0; i < places; ++i) {
    const auto place = (first + i) % places;
    const auto count = coverage.losses(type_of(whole.lines[place]));
    if (fewest >= 0 && count >= fewest) continue;
    fewest = count;
    chosen = place + 1;
  }
  return chosen;
}

/// Why how far the nodes get depends on who is first; empty: it does not.
std::string_view why_undetermined(const RandomPipeline& pipeline, const PlayedRun& whole) {
  const auto end = type_of(whole.lines[whole.end]);
  const bool ends_early =
      end == "pipeline_cancelled" || (end == "pipeline_failed" && pipeline.mode == "fail_fast");
  if (ends_early && pipeline.ends_beside_others) {
    return "whether it failed or was cancelled, since it was ended while others ran";
  }
  if (pipeline.changes_race) {
    return "only that it ended, since a node may begin before or after it is changed";
  }
  const auto is_again = [](const auto& line) { return type_of(line) == "guard_retry_attempt"; };
  if (pipeline.guards_race && std::ranges::any_of(whole.lines, is_again)) {
    return "only that it ended, since a guard ran others again while they failed";
  }
  return {};
}

/// Nobody says how what ran ended when its process was lost, and nothing wants it any more.
project::State end_of(const project::NodeState& node) {
  const auto* last = node.last_attempt();
  const bool is_lost = node.state == project::State::kPending &&
                       node.retry == project::Retry::kNone && last != nullptr &&
                       last->outcome == "unknown";
  return is_lost ? project::State::kCancelled : node.state;
}

std::optional<std::string> compare_nodes(const project::RunState& expected,
                                         const project::RunState& state) {
  for (const auto* one : {&expected, &state}) {
    const auto& other = one == &expected ? state : expected;
    for (const auto& node : one->nodes) {
      const auto* same = other.find_node(node.node_id);
      const auto end = same == nullptr ? project::State::kPending : end_of(*same);
      if (end_of(node) != end) {
        return "'" + node.node_id + "' ended as " + std::string(to_string(end_of(node))) + " and " +
               std::string(to_string(end));
      }
      if (same != nullptr && same->undo != node.undo) {
        return "'" + node.node_id + "' was taken back in one of them";
      }
    }
  }
  return {};
}

std::optional<std::string> compare(const RandomPipeline& pipeline, const PlayedRun& whole,
                                   const project::RunState& expected, const PlayedRun& taken_up,
                                   const project::RunState& state, bool in_part) {
  if (!state.is_finished()) return "the run that was taken up has no end";
  const bool depends = pipeline.may_fail_for_good && pipeline.may_be_cancelled;
  if (in_part && (depends || pipeline.guards_race || pipeline.changes_race)) return {};
  if (state.state != expected.state) return "the runs end otherwise";
  if (in_part) return {};
  // Of several that fail beside each other any may be the first; of one that failed while the first
  // one was tried again the run knows no more than that.
  const bool one_failed = expected.count(project::State::kFailed) < 2;
  const bool same_error = state.error_type == expected.error_type ||
                          !pipeline.retried_node.empty() || pipeline.has_open_circuit;
  if (one_failed && (state.failed_node_id != expected.failed_node_id || !same_error)) {
    return "the runs fail for '" + expected.failed_node_id + "' and '" + state.failed_node_id + "'";
  }
  if (json::to_text(whole.report->result) != json::to_text(taken_up.report->result)) {
    return "the results are others: " + json::to_text(whole.report->result) + " and " +
           json::to_text(taken_up.report->result);
  }
  return compare_nodes(expected, state);
}

/// By a guard.
bool is_wanted_again(const std::vector<std::string>& lines, const std::string& node) {
  const auto mark = R"("node_id":")" + node + '"';
  return std::ranges::any_of(lines, [&](const auto& line) {
    return type_of(line) == "pipeline_node_retry_scheduled" && line.contains(mark);
  });
}

/// A tool that was called again though it had committed.
std::optional<std::string> called_again(const std::string& run, const project::RunState& at_loss,
                                        const PlayedRun& taken_up) {
  const auto was_called = [&](const auto& calls, const std::string& node) {
    const auto found = calls.find(call_key(run, node));
    return found != calls.end() && found->second > 0;
  };
  for (const auto& node : at_loss.nodes) {
    if (node.state == project::State::kCompleted && was_called(taken_up.calls, node.node_id) &&
        !is_wanted_again(taken_up.lines, node.node_id)) {
      return "'" + node.node_id + "' had completed and was run again";
    }
    if (node.undo != project::Undo::kNone && was_called(taken_up.undos, node.node_id)) {
      return "'" + node.node_id + "' had been taken back, and was once more";
    }
  }
  return {};
}

/// A run that a node began and that was left behind. Who is stopped at once waits for none.
std::optional<std::string> left_behind(const std::vector<std::string>& lines,
                                       const std::map<std::string, project::RunState>& states) {
  const bool is_stopped = std::ranges::any_of(lines, [](const auto& line) {
    return type_of(line) == "signal_accepted" && line.contains("\"emergency-stop\"");
  });
  if (is_stopped) return {};
  for (const auto& [id, state] : states) {
    if (!state.is_finished()) return "run " + id + " of '" + state.pipeline_id + "' has no end";
    for (const auto& child : state.children) {
      if (child.state == project::State::kRunning)
        return "nobody says how " + child.run_id + " ended";
    }
  }
  return {};
}

std::optional<std::string> lose_and_take_up(const RandomPipeline& pipeline, Player& player,
                                            const Whole& whole, std::size_t loss,
                                            Coverage& coverage) {
  const auto& all = whole.played.lines;
  std::vector<std::string> lines(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(loss));
  const auto at_loss = states_of(lines);
  const auto taken_up = player.take_up(whole.played.report->run_id, lines, at_loss);
  if (!taken_up.report) return "taking up: " + taken_up.report.error().message;
  for (const auto& [run, state] : at_loss) {
    if (auto again = called_again(run, state, taken_up)) return again;
  }
  lines.insert(lines.end(), taken_up.lines.begin(), taken_up.lines.end());
  std::map<std::string, project::RunState> states;
  if (auto fault = fault_in(lines, states)) return "after taking up: " + *fault;
  if (auto left = left_behind(lines, states)) return "after taking up: " + *left;
  std::size_t compared = 0;
  if (auto other = taken_up.held.difference(lines, compared)) return "taken up: " + *other;
  coverage.add_events(taken_up.lines.size(), compared);
  const auto undetermined = why_undetermined(pipeline, whole.played);
  coverage.add_compared(undetermined);
  return compare(pipeline, whole.played, whole.states.at(whole.id), taken_up, states.at(whole.id),
                 !undetermined.empty());
}

/// Whoever takes the run up after any of its events stands where they say.
std::optional<std::string> look_at_each_place(const RandomPipeline& pipeline, const Player& player,
                                              const PlayedRun& whole) {
  const bool has_guard = pipeline.text.contains("guard_retry");
  engine::RecordedRun past;
  project::RunState state;
  event::Decoder decoder;
  std::size_t events = 0;
  for (const auto& line : std::span(whole.lines).first(whole.end)) {
    const auto& event = **decoder.decode(line);
    const auto known = past.facts.size();
    past.apply(event);
    state.apply(event);
    ++events;
    if (past.facts.size() == known) continue;  // nothing that whoever takes it up asks for
    // From where a guard has others run again, the engine knows more than the log.
    if (has_guard && event.type() == event::Type::kNodeFailed) break;
    if (auto other = player.difference(past, state)) {
      return "after event " + std::to_string(events) + ": " + *other;
    }
  }
  return {};
}

std::optional<std::string> run_case(std::uint64_t seed, Coverage& coverage, bool is_talking) {
  std::mt19937_64 random(seed);
  const auto pipeline = random_pipeline(seed);
  if (is_talking) std::printf("%s\n", pipeline.text.c_str());
  Player player(pipeline);
  const auto whole = player.play();
  if (!whole.report) return whole.report.error().message;
  for (const auto& line : whole.lines) {
    if (is_talking) std::printf("%s\n", line.c_str());
  }
  std::map<std::string, project::RunState> states;
  if (auto fault = fault_in(whole.lines, states)) return fault;
  if (auto left = left_behind(whole.lines, states)) return left;
  std::size_t compared = 0;
  if (auto other = whole.held.difference(whole.lines, compared)) return other;
  coverage.add_events(whole.lines.size(), compared);
  if (auto other = look_at_each_place(pipeline, player, whole)) return other;
  coverage.add(pipeline, whole);
  const Whole expected{
      .played = whole, .id = whole.report->run_id.text(), .states = std::move(states)};
  const auto lose_after = [&](std::size_t loss) -> std::optional<std::string> {
    auto wrong = lose_and_take_up(pipeline, player, expected, loss, coverage);
    if (wrong) wrong = "lost after event " + std::to_string(loss) + ": " + *wrong;
    return wrong;
  };
  for (std::size_t loss = 1; is_talking && loss <= whole.lines.size(); ++loss) {
    if (auto wrong = lose_after(loss)) return wrong;
  }
  for (int i = 0; !is_talking && i < kMaxLosses; ++i) {
    const auto loss = choose_loss(whole, coverage, random);
    const auto type = type_of(whole.lines[loss - 1]);
    if (i >= kMinLosses && !coverage.is_rare(type)) break;
    coverage.add_loss(type);
    if (auto wrong = lose_after(loss)) return wrong;
  }
  return {};
}

void say_wrong(std::uint64_t seed, const std::string& wrong) {
  std::printf("seed %llu: %s\nto repeat: weir_random_runs 1 %llu\n",
              static_cast<unsigned long long>(seed), wrong.c_str(),
              static_cast<unsigned long long>(seed));
}

/// Every so many cases from `first` on, until one is not as it must be.
void run_share(std::uint64_t first, std::uint64_t end, std::uint64_t step, Coverage& coverage,
               std::atomic<bool>& is_over) {
  for (auto seed = first; seed < end && !is_over; seed += step) {
    const auto wrong = run_case(seed, coverage, false);
    if (!wrong) continue;
    if (!is_over.exchange(true)) say_wrong(seed, *wrong);
  }
}

/// Runs wait for commits and for their timers: several at a time take no more processors.
int run_cases(std::uint64_t cases, std::uint64_t first) {
  constexpr std::size_t kThreads = 8;
  std::vector<Coverage> shares(kThreads);
  std::vector<std::thread> threads;
  std::atomic<bool> is_over = false;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back(
        [&, i] { run_share(first + i, first + cases, kThreads, shares[i], is_over); });
  }
  for (auto& thread : threads) thread.join();
  if (is_over) return 1;
  for (std::size_t i = 1; i < kThreads; ++i) shares[0].add(shares[i]);
  if (!shares[0].judge(cases) && cases >= kEnoughToJudge) return 1;
  std::printf("%llu cases: every promise kept\n", static_cast<unsigned long long>(cases));
  return 0;
}

/// Lost after each of its events.
int run_one(std::uint64_t seed) {
  Coverage coverage;
  const auto wrong = run_case(seed, coverage, true);
  if (wrong) say_wrong(seed, *wrong);
  return wrong ? 1 : 0;
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
  return cases == 1 ? weir::random_runs::run_one(first)
                    : weir::random_runs::run_cases(cases, first);
}
