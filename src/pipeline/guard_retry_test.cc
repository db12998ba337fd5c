#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "pipeline/guard_progress.h"
#include "pipeline/scheduler.h"
#include "pipeline/scheduler_testing.h"

// A guard that fails has a node before it run again, and all that came after that.
namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::definition_of;
using testing_support::kFinish;
using testing_support::start;
using Verdict = GuardProgress::Verdict;

Timestamp at(int seconds) { return Timestamp(std::chrono::seconds(seconds)); }
Sha256 output(std::string_view text) { return sha256(text); }

TEST(GuardProgress, GivesUpAfterItsLastAttempt) {
  const GuardRetry policy{.retry_node = "r", .max_attempts = 3};
  GuardProgress progress;
  EXPECT_EQ(progress.failed(policy, {output("1"), at(0)}), Verdict::kAgain);
  EXPECT_EQ(progress.failed(policy, {output("2"), at(0)}), Verdict::kAgain);
  EXPECT_EQ(progress.failed(policy, {output("3"), at(0)}), Verdict::kMaxAttempts);
  EXPECT_EQ(progress.failures(), 3);
}

TEST(GuardProgress, GivesUpWhenSoManyOutputsInARowAreTheSame) {
  const GuardRetry policy{.retry_node = "r", .max_attempts = 9, .stagnation_limit = 3};
  GuardProgress progress;
  for (const auto* made : {"1", "1", "2", "2"}) {
    EXPECT_EQ(progress.failed(policy, {output(made), at(0)}), Verdict::kAgain);
  }
  EXPECT_EQ(progress.same_outputs(), 2);
  EXPECT_EQ(progress.failed(policy, {output("2"), at(0)}), Verdict::kStagnation);
}

TEST(GuardProgress, GivesUpWhenItsTimeSinceTheFirstFailureIsOver) {
  const GuardRetry policy{
      .retry_node = "r", .max_attempts = 9, .timeout = std::chrono::seconds(10)};
  GuardProgress progress;
  EXPECT_EQ(progress.failed(policy, {output("1"), at(100)}), Verdict::kAgain);
  EXPECT_EQ(progress.failed(policy, {output("2"), at(109)}), Verdict::kAgain);
  EXPECT_EQ(progress.failed(policy, {output("3"), at(110)}), Verdict::kTimeout);
  progress.end();
  EXPECT_EQ(progress.failed(policy, {output("3"), at(200)}), Verdict::kAgain);
}

TEST(GuardProgress, ComparesTheNamedFieldsWhateverTheirOrder) {
  const auto parsed = [](std::string_view text) { return *json::parse(text)->object(); };
  const auto one = parsed(R"({"a": 1, "b": 2, "time": 3})");
  const auto other = parsed(R"({"time": 4, "b": 2.0, "a": 1})");
  const std::vector<std::string> fields = {"a", "b"};
  EXPECT_EQ(digest_of(&one, fields), digest_of(&other, fields));
  EXPECT_NE(digest_of(&one, {}), digest_of(&other, {}));
  EXPECT_NE(digest_of(&one, {}), digest_of(nullptr, {}));
}

constexpr Command again(NodeIndex node) { return {Command::Kind::kAgain, node}; }

/// A scheduler with what it commanded last.
class Again : public testing::Test {
 protected:
  std::vector<Command> start_run(Scheduler& scheduler) {
    return commands([&](auto& c) { scheduler.start(c); });
  }
  template <class Call>
  std::vector<Command> commands(Call call) {
    std::vector<Command> result;
    call(result);
    return result;
  }
  std::vector<Command> complete(StepIndex step) {
    return commands([&](auto& c) { scheduler_.completed(step, c); });
  }
  std::vector<Command> run_again(NodeIndex guard, NodeIndex from) {
    return commands([&](auto& c) { scheduler_.run_again(guard, from, c); });
  }

  //  0 ─► 1 ─► 2 ─► 3 (guard) ─► 5
  //       └──► 4
  const Graph graph_{definition_of(6, {{0, 1}, {1, 2}, {2, 3}, {1, 4}, {3, 5}})};
  Scheduler scheduler_{graph_};
};

TEST_F(Again, RunsAllThatHadBegunAfterTheNodeAndNothingElse) {
  start_run(scheduler_);
  complete(0);
  complete(1);
  complete(4);
  complete(2);
  EXPECT_THAT(run_again(3, 1), ElementsAre(again(1), again(2), again(4), again(3), start(1)));
  EXPECT_EQ(scheduler_.attempts(1), 2);
  EXPECT_EQ(scheduler_.attempts(0), 1);
  EXPECT_THAT(complete(1), ElementsAre(start(2), start(4)));
  EXPECT_THAT(complete(4), IsEmpty());
  EXPECT_THAT(complete(2), ElementsAre(start(3)));
  EXPECT_THAT(complete(3), ElementsAre(start(5)));
  EXPECT_THAT(complete(5), ElementsAre(kFinish));
  EXPECT_EQ(scheduler_.outcome(), RunOutcome::kCompleted);
  EXPECT_FALSE(scheduler_.first_failed());
}

TEST_F(Again, WaitsForWhatRunsWithWhatIsGoingToChangeHoweverItEnds) {
  for (const bool fails : {false, true}) {
    SCOPED_TRACE(fails);
    Scheduler scheduler(graph_);
    start_run(scheduler);
    for (const StepIndex step : {0U, 1U, 2U}) {
      commands([&](auto& c) { scheduler.completed(step, c); });
    }
    EXPECT_THAT(commands([&](auto& c) { scheduler.run_again(3, 1, c); }), IsEmpty());
    EXPECT_TRUE(scheduler.is_unwanted(4));
    EXPECT_FALSE(scheduler.is_unwanted(0));
    EXPECT_THAT(commands([&](auto& c) {
                  if (fails) {
                    scheduler.failed(4, ErrorCategory::kTransient, c);
                  } else {
                    scheduler.completed(4, c);
                  }
                }),
                ElementsAre(again(1), again(2), again(4), again(3), start(1)));
    EXPECT_FALSE(scheduler.first_failed());
    EXPECT_FALSE(scheduler.is_stopping());
  }
}

TEST_F(Again, DoesNotBeginWhatHadNotAndSaysNothingOfIt) {
  start_run(scheduler_);
  complete(0);
  complete(1);
  complete(2);
  run_again(3, 1);
  EXPECT_THAT(commands([&](auto& c) { scheduler_.cancelled(4, c); }),
              ElementsAre(again(1), again(2), again(3), start(1)));
  EXPECT_EQ(scheduler_.attempts(4), 0);
}

TEST_F(Again, ARunThatStopsMeanwhileEnds) {
  start_run(scheduler_);
  complete(0);
  complete(1);
  complete(2);
  run_again(3, 1);
  EXPECT_THAT(commands([&](auto& c) { scheduler_.stop(RunOutcome::kCancelled, c); }),
              ElementsAre(Command{Command::Kind::kCancel, 4}));
  EXPECT_THAT(commands([&](auto& c) { scheduler_.cancelled(4, c); }), ElementsAre(kFinish));
}

TEST_F(Again, EachRoundHasTheAttemptsOfItsPolicy) {
  const RetryPolicy twice{.max_attempts = 2, .jitter = Jitter::kNone};
  const Graph graph(definition_of(2, {{0, 1}}));
  Scheduler scheduler(graph, {{.retry = &twice}, {}});
  start_run(scheduler);
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    const auto failed =
        commands([&](auto& c) { scheduler.failed(0, ErrorCategory::kTransient, c); });
    EXPECT_THAT(failed, ElementsAre(Command{Command::Kind::kRetry, 0, twice.delay}));
    commands([&](auto& c) { scheduler.retry_due(0, c); });
    commands([&](auto& c) { scheduler.completed(0, c); });
    commands([&](auto& c) { scheduler.run_again(1, 0, c); });
  }
  EXPECT_EQ(scheduler.attempts(0), 7);
}

TEST_F(Again, PlansAForEachNodeAnewAndCountsTheAttemptsOfItsItemsOn) {
  const Graph graph(definition_of(3, {{0, 1}, {1, 2}}));
  Scheduler scheduler(graph, {{}, {.needs_preparation = true}, {}});
  const auto prepare = [&](std::uint32_t items) {
    StepIndex first = 0;
    commands([&](auto& c) { first = scheduler.prepared(1, items, c); });
    return first;
  };
  start_run(scheduler);
  commands([&](auto& c) { scheduler.completed(0, c); });
  const auto first = prepare(2);
  for (const StepIndex item : {first, first + 1}) {
    commands([&](auto& c) { scheduler.completed(item, c); });
  }
  EXPECT_THAT(commands([&](auto& c) { scheduler.run_again(2, 0, c); }),
              ElementsAre(again(0), again(1), again(2), start(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(0, c); }),
              ElementsAre(Command{Command::Kind::kPrepare, 1}));
  const auto second = prepare(3);
  EXPECT_EQ(scheduler.items_of(1)->first, second);
  EXPECT_EQ(scheduler.attempts(second), 2);
  EXPECT_EQ(scheduler.attempts(second + 2), 1);
  for (const StepIndex item : {second + 1, second + 2}) {
    EXPECT_THAT(commands([&](auto& c) { scheduler.completed(item, c); }), IsEmpty());
  }
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(second, c); }), ElementsAre(start(2)));
}

TEST_F(Again, ForgetsAFailureOfWhatRunsAgain) {
  Scheduler scheduler(graph_, {}, FailureMode::kContinue);
  start_run(scheduler);
  for (const StepIndex step : {0U, 1U}) {
    commands([&](auto& c) { scheduler.completed(step, c); });
  }
  commands([&](auto& c) { scheduler.failed(4, ErrorCategory::kPermanent, c); });
  EXPECT_EQ(scheduler.first_failed(), 4U);
  commands([&](auto& c) { scheduler.completed(2, c); });
  commands([&](auto& c) { scheduler.run_again(3, 1, c); });
  EXPECT_FALSE(scheduler.first_failed());
}

// Random graphs whose guards fail now and then, orders of completion, waits and stops: a node runs
// when all before it have completed since they last were to run again, and the run ends.
TEST(AgainAtRandom, KeepsItsRules) {
  int retried = 0, waited = 0;
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    const std::size_t nodes = 2 + below(10);
    std::vector<std::pair<int, int>> edges;
    for (std::size_t to = 1; to < nodes; ++to) {
      edges.emplace_back(below(to), to);
      if (below(2) == 0) edges.emplace_back(below(to), to);
    }
    const Graph graph(definition_of(nodes, edges));
    Scheduler scheduler(graph);
    std::vector<NodeIndex> running;
    std::vector<bool> completed(nodes);
    int guard_retries = 5;
    std::vector<Command> todo;
    scheduler.start(todo);
    bool finished = false;
    while (!finished) {
      for (const auto& command : todo) {
        ASSERT_FALSE(finished) << "a command after the last";
        finished = command.kind == Command::Kind::kFinishRun;
        if (command.kind == Command::Kind::kAgain) completed[command.step] = false;
        if (command.kind != Command::Kind::kStart) continue;
        ASSERT_FALSE(completed[command.step]);
        for (const auto before : graph.predecessors[command.step]) ASSERT_TRUE(completed[before]);
        running.push_back(command.step);
      }
      todo.clear();
      ASSERT_EQ(finished, running.empty());
      if (finished) break;
      const auto place = below(running.size());
      const auto node = running[place];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(place));
      if (!scheduler.is_unwanted(node) && !graph.predecessors[node].empty() && guard_retries > 0 &&
          below(3) == 0) {
        --guard_retries;
        ++retried;
        scheduler.run_again(node, graph.predecessors[node][0], todo);
        waited += todo.empty() ? 1 : 0;
      } else if (scheduler.is_unwanted(node) && below(2) == 0) {
        scheduler.failed(node, ErrorCategory::kTransient, todo);
      } else {
        completed[node] = true;
        scheduler.completed(node, todo);
      }
    }
    EXPECT_EQ(scheduler.outcome(), RunOutcome::kCompleted);
    EXPECT_EQ(std::count(completed.begin(), completed.end(), true),
              static_cast<std::ptrdiff_t>(nodes));
  }
  EXPECT_GT(retried, 1'000);
  EXPECT_GT(waited, 300);
}

}  // namespace
}  // namespace weir::pipeline
