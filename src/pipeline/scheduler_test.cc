#include "pipeline/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace weir::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Command start(NodeIndex node) { return {Command::Kind::kStartNode, node}; }
constexpr Command cancel(NodeIndex node) { return {Command::Kind::kCancelNode, node}; }
constexpr Command kFinish{Command::Kind::kFinishRun, 0};

/// A definition with nodes 0…n-1 and these edges.
Definition definition_of(std::size_t nodes, const std::vector<std::pair<int, int>>& edges) {
  Definition definition;
  for (std::size_t i = 0; i < nodes; ++i) definition.nodes.push_back({.id = {std::to_string(i)}});
  for (const auto& [from, to] : edges) {
    definition.edges.push_back({{std::to_string(from)}, {std::to_string(to)}});
  }
  return definition;
}

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
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_completed(0, c); }),
              ElementsAre(start(1), start(2)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_completed(2, c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_completed(1, c); }), ElementsAre(start(3)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_completed(3, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kCompleted);
}

TEST(Scheduler, CancelsWhatRunsAndStartsNothingAfterAFailure) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  commands([&](auto& c) { scheduler.node_completed(0, c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_failed(1, c); }), ElementsAre(cancel(2)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_completed(2, c); }), ElementsAre(kFinish));
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kFailed);
  EXPECT_EQ(scheduler.first_failed(), 1U);
}

TEST(Scheduler, EndsACancelledRunWhenItsNodesHaveEnded) {
  Scheduler scheduler(diamond());
  commands([&](auto& c) { scheduler.start(c); });
  EXPECT_THAT(commands([&](auto& c) { scheduler.cancel(c); }), ElementsAre(cancel(0)));
  EXPECT_THAT(commands([&](auto& c) { scheduler.cancel(c); }), IsEmpty());
  EXPECT_THAT(commands([&](auto& c) { scheduler.node_cancelled(0, c); }), ElementsAre(kFinish));
  EXPECT_THAT(commands([&](auto& c) { scheduler.cancel(c); }), IsEmpty());
  EXPECT_EQ(scheduler.outcome(), RunOutcome::kCancelled);
}

TEST(Scheduler, FinishesARunWithoutNodes) {
  const Graph graph(definition_of(0, {}));
  Scheduler scheduler(graph);
  EXPECT_THAT(commands([&](auto& c) { scheduler.start(c); }), ElementsAre(kFinish));
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
        if (command.kind != Command::Kind::kStartNode) continue;
        ASSERT_FALSE(started[command.node] || stopping);
        started[command.node] = true;
        for (const auto before : graph.predecessors[command.node]) ASSERT_TRUE(completed[before]);
        running.push_back(command.node);
      }
      todo.clear();
      ASSERT_EQ(finished, running.empty());
      if (finished) break;
      if (below(40) == 0) {
        stopping = true;
        scheduler.cancel(todo);
        continue;
      }
      const auto place = below(running.size());
      const auto node = running[place];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(place));
      if (below(15) == 0) {
        stopping = true;
        scheduler.node_failed(node, todo);
      } else {
        completed[node] = true;
        scheduler.node_completed(node, todo);
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
