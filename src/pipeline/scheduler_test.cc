#include "pipeline/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "pipeline/scheduler_testing.h"

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::definition_of;
using testing_support::kFinish;
using testing_support::start;

constexpr Command cancel(NodeIndex node) { return {Command::Kind::kCancel, node}; }

/// What one call of the scheduler commands.
template <class Call>
std::vector<Command> commands(Call call) {
  std::vector<Command> result;
  call(result);
  return result;
}

//      0 ─► 1 ─► 3
//      └──► 2 ──┘
const Graph& diamond() {
  static const Graph graph(definition_of(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}}));
  return graph;
}

TEST(Scheduler, StartsANodeWhenAllItsPredecessorsHaveCompleted) {
  Scheduler scheduler(diamond());
  EXPECT_THAT(commands([&](auto& c) { scheduler.start(c); }), ElementsAre(start(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(0, c); }),
              ElementsAre(start(1), start(2)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(1, c); }), ElementsAre(start(3)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(3, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kCompleted);
}

TEST(Scheduler, CancelsWhatRunsAndStartsNothingAfterAFailure) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.completed(0, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kPermanent, c); }),
              ElementsAre(cancel(2)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kFailed);
  EXPECT_EQ(scheduler.first_failed(), 1U);
}

TEST(Scheduler, EndsACancelledRunWhenItsNodesHaveEnded) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.stop(RunOutcome::kCancelled, c); }),
              ElementsAre(cancel(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.stop(RunOutcome::kCancelled, c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.cancelled(0, c); }), ElementsAre(kFinish));
  EXPECT_THAT(commands([&](auto& c) { scheduler.stop(RunOutcome::kCancelled, c); }), IsEmpty());
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kCancelled);
}

TEST(Scheduler, FinishesARunWithoutNodes) {
  const Graph graph(definition_of(0, {}));
  Scheduler scheduler(graph);
  EXPECT_THAT(commands([&](auto& c) { scheduler.start(c); }), ElementsAre(kFinish));
}

RetryPolicy twice_more(Backoff backoff = Backoff::kExponential, Jitter jitter = Jitter::kNone) {
  return {.max_attempts = 3,
          .backoff = backoff,
          .jitter = jitter,
          .delay = std::chrono::milliseconds(100),
          .max_delay = std::chrono::milliseconds(1000)};
}

Command retry(StepIndex step, int delay_ms) {
  return {Command::Kind::kRetry, step, std::chrono::milliseconds(delay_ms)};
}

TEST(Scheduler, TriesAgainAsOftenAsThePolicySaysAndForWhatItSays) {
  const Graph graph(definition_of(1, {}));
  const auto policy = twice_more();
  Scheduler scheduler(graph, {{.retry = &policy}});
  const auto fail = [&](ErrorCategory category) {
    return commands([&](auto& c) { scheduler.failed(0, category, c); });
  };
  const auto due = [&] { return commands([&](auto& c) { scheduler.retry_due(0, c); }); };
  commands([&](auto& c) { scheduler.start(c); });
  EXPECT_THAT(fail(ErrorCategory::kTimeout), ElementsAre(retry(0, 100)));
  EXPECT_THAT(due(), ElementsAre(start(0)));
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_THAT(fail(ErrorCategory::kTransient), ElementsAre(retry(0, 200)));
  EXPECT_THAT(due(), ElementsAre(start(0)));
  EXPECT_EQ(scheduler.attempts(0), 3);
  EXPECT_THAT(fail(ErrorCategory::kTransient), ElementsAre(kFinish));

  Scheduler other(graph, {{.retry = &policy}});
  commands([&](auto& c) { other.start(c); });
  EXPECT_THAT(commands([&](auto& c) { other.failed(0, ErrorCategory::kPermanent, c); }),
              ElementsAre(kFinish));
}

TEST(Scheduler, GivesUpWhatWaitsForItsNextAttemptWhenTheRunStops) {
  const Graph graph(definition_of(2, {}));
  const auto policy = twice_more();
  Scheduler scheduler(graph, {{.retry = &policy}, {}});
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.failed(0, ErrorCategory::kTransient, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kTransient, c); }),
              ElementsAre(cancel(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.retry_due(0, c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.cancelled(0, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.first_failed(), 1U);
}

TEST(Scheduler, SkipsTheDescendantsAloneOfAFailedNodeWhenItContinues) {
  Scheduler scheduler(diamond(), {}, FailureMode::kContinue);
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.completed(0, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kPermanent, c); }),
              IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }),
              ElementsAre(Command{Command::Kind::kSkip, 3}, kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kFailed);
}

TEST(Scheduler, GoesOnWithoutAFailedNodesOutputAtBestEffort) {
  Scheduler scheduler(diamond(), {}, FailureMode::kBestEffort);
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.completed(0, c); });
  commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kPermanent, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }), ElementsAre(start(3)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(3, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kCompleted);
  EXPECT_EQ(scheduler.first_failed(), 1U);
}

TEST(Scheduler, EndsARunThatIsStoppedWhileItsItemsAreHeld) {
  const Graph graph(definition_of(1, {}));
  Scheduler scheduler(graph, {{.needs_preparation = true}});
  commands([&](auto& c) { scheduler.start(c); });
  scheduler.pause();
  EXPECT_THAT(commands([&](auto& c) { scheduler.prepared(0, 2, c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.stop(RunOutcome::kCancelled, c); }),
              ElementsAre(kFinish));
}

TEST(Scheduler, HoldsWhatIsReadyWhileItIsPaused) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  for (int round = 0; round < 2; ++round) {
    scheduler.pause();
    EXPECT_FALSE(scheduler.is_drained());
    const auto node = static_cast<StepIndex>(round);
    EXPECT_THAT(commands([&](auto& c) { scheduler.completed(node, c); }), IsEmpty());
    if (round == 1) {
      EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }), IsEmpty());
    }
    EXPECT_TRUE(scheduler.is_drained());
    const auto resumed = commands([&](auto& c) { scheduler.resume(c); });
    if (round == 0) {
      EXPECT_THAT(resumed, ElementsAre(start(1), start(2)));
    } else {
      EXPECT_THAT(resumed, ElementsAre(start(3)));
    }
  }
}

TEST(Scheduler, RunsEachItemOfAForEachNodeBeforeWhatFollows) {
  const Graph graph(definition_of(2, {{0, 1}}));
  Scheduler scheduler(graph, {{.needs_preparation = true}, {}});
  EXPECT_THAT(commands([&](auto& c) { scheduler.start(c); }),
              ElementsAre(Command{Command::Kind::kPrepare, 0}));
  EXPECT_THAT(commands([&](auto& c) { EXPECT_EQ(scheduler.prepared(0, 3, c), 2U); }),
              ElementsAre(start(2), start(3), start(4)));
  EXPECT_EQ(scheduler.node_of(4), 0U);
  EXPECT_EQ(scheduler.item_of(4), 2U);
  for (const StepIndex step : {4U, 2U}) {
    EXPECT_THAT(commands([&](auto& c) { scheduler.completed(step, c); }), IsEmpty());
  }
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(3, c); }), ElementsAre(start(1)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(1, c); }), ElementsAre(kFinish));
}

TEST(Scheduler, CompletesAForEachNodeWithoutItemsAtOnce) {
  const Graph graph(definition_of(2, {{0, 1}}));
  Scheduler scheduler(graph, {{.needs_preparation = true}, {}});
  commands([&](auto& c) { scheduler.start(c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.prepared(0, 0, c); }), ElementsAre(start(1)));
}

TEST(Scheduler, StartsAnApprovedNodeAndFailsOneThatIsDenied) {
  const Graph graph(definition_of(2, {}));
  Scheduler scheduler(graph, {{.needs_approval = true}, {.needs_approval = true}});
  EXPECT_THAT(commands([&](auto& c) { scheduler.start(c); }),
              ElementsAre(Command{Command::Kind::kAsk, 0}, Command{Command::Kind::kAsk, 1}));
  EXPECT_THAT(commands([&](auto& c) { scheduler.approved(0, c); }), ElementsAre(start(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kPermanent, c); }),
              ElementsAre(cancel(0)));
}

TEST(Scheduler, HasFailedStillWhenWhatFailedFirstIsTriedAgain) {
  const Graph graph(definition_of(3, {}));
  Scheduler scheduler(graph, {{}, {.needs_preparation = true, .needs_approval = true}, {}},
                      FailureMode::kContinue);
  commands([&](auto& c) { scheduler.start(c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.prepared(1, 2, c); }),
              ElementsAre(Command{Command::Kind::kAsk, 1}));
  commands([&](auto& c) { scheduler.failed(0, ErrorCategory::kPermanent, c); });
  // Denied: none of its items has run.
  commands([&](auto& c) { scheduler.failed(1, ErrorCategory::kPermanent, c); });
  commands([&](auto& c) { scheduler.retry(0, c); });
  EXPECT_EQ(scheduler.first_failed(), 1U);
  commands([&](auto& c) { scheduler.completed(0, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.completed(2, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kFailed);
}

TEST(Scheduler, GoesOnElsewhereWithWhatHadNotEnded) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.completed(0, c); });
  commands([&](auto& c) { scheduler.completed(2, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.recover(c); }), ElementsAre(start(1)));
}

TEST(RetryDelay, GrowsAsItsPolicySays) {
  const auto delays = [](Backoff backoff) {
    std::vector<std::int64_t> found;
    for (int next = 2; next < 8; ++next) {
      found.push_back(retry_delay(twice_more(backoff), next, 1).count());
    }
    return found;
  };
  EXPECT_THAT(delays(Backoff::kExponential), ElementsAre(100, 200, 400, 800, 1000, 1000));
  EXPECT_THAT(delays(Backoff::kLinear), ElementsAre(100, 200, 300, 400, 500, 600));
  EXPECT_THAT(delays(Backoff::kConstant), ElementsAre(100, 100, 100, 100, 100, 100));
}

TEST(RetryDelay, IsSpreadAsItsPolicySaysTheSameForTheSameSeed) {
  struct Range {
    Jitter jitter;
    std::int64_t least, most;
  };
  for (const auto& [jitter, least, most] :
       {Range{Jitter::kFull, 0, 400}, Range{Jitter::kEqual, 200, 400},
        Range{Jitter::kDecorrelated, 100, 1000}}) {
    const auto policy = twice_more(Backoff::kExponential, jitter);
    std::int64_t lowest = 10'000, highest = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
      const auto delay = retry_delay(policy, 4, seed).count();
      EXPECT_EQ(delay, retry_delay(policy, 4, seed).count());
      lowest = std::min(lowest, delay);
      highest = std::max(highest, delay);
    }
    const auto tenth = (most - least) / 10;
    EXPECT_TRUE(lowest >= least && lowest < least + tenth) << lowest;
    EXPECT_TRUE(highest <= most && highest > most - tenth) << highest;
  }
}

// Random graphs, random orders of completion, now and then a failure or a cancel.
TEST(Scheduler, KeepsItsRulesOnRandomGraphsAndHistories) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    const std::size_t nodes = 1 + below(12);
    std::vector<std::pair<int, int>> edges;
    for (std::size_t to = 1; to < nodes; ++to) {
      for (std::size_t from = 0; from < to; ++from) {
        if (below(3) == 0) edges.emplace_back(from, to);
      }
    }
    const Graph graph(definition_of(nodes, edges));
    Scheduler scheduler(graph);
    std::vector<NodeIndex> running;
    std::vector<bool> started(nodes), completed(nodes);
    bool stopping = false, finished = false;
    std::vector<Command> todo;
    scheduler.start(todo);
    while (true) {
      for (const auto& command : todo) {
        ASSERT_FALSE(finished) << "a command after the last";
        if (command.kind == Command::Kind::kFinishRun) finished = true;
        if (command.kind != Command::Kind::kStart) continue;
        ASSERT_FALSE(started[command.step] || stopping);
        started[command.step] = true;
        for (const auto before : graph.predecessors[command.step]) ASSERT_TRUE(completed[before]);
        running.push_back(command.step);
      }
      todo.clear();
      ASSERT_EQ(finished, running.empty());
      if (finished) break;
      if (below(40) == 0) {
        stopping = true;
        scheduler.stop(RunOutcome::kCancelled, todo);
        continue;
      }
      const auto place = below(running.size());
      const auto node = running[place];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(place));
      if (below(15) == 0) {
        stopping = true;
        scheduler.failed(node, ErrorCategory::kPermanent, todo);
      } else {
        completed[node] = true;
        scheduler.completed(node, todo);
      }
    }
    if (scheduler.outcome() == RunOutcome::kCompleted) {
      EXPECT_EQ(std::count(completed.begin(), completed.end(), true),
                static_cast<std::ptrdiff_t>(nodes));
    } else {
      EXPECT_TRUE(stopping);
    }
  }
}

}  // namespace
}  // namespace weir::pipeline
