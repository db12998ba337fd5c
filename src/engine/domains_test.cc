#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "engine/engine_testing.h"
#include "engine/ready_queue.h"

// At most so many nodes of a domain run at a time.
namespace weir::engine {
namespace {

using testing::ElementsAre;

pipeline::Definition four_nodes() {
  pipeline::Definition definition;
  definition.domains = {{"few", 1}};
  for (const auto* id : {"0", "1", "2", "3"}) definition.nodes.push_back({.id = {.text = id}});
  definition.nodes[0].domain = definition.nodes[1].domain = definition.nodes[2].domain = "few";
  return definition;
}

TEST(ReadyQueue, LetsOthersPassWhatWaitsForItsDomainAndKeepsTheOrderWithinIt) {
  const auto definition = four_nodes();
  ReadyQueue queue(definition, [](const WorkerPool&) {});
  for (pipeline::StepIndex node = 0; node < 4; ++node) queue.push(node, node);
  std::vector<pipeline::StepIndex> taken;
  auto first = queue.take();
  while (queue.can_take()) taken.push_back(queue.take().step);
  EXPECT_THAT(taken, ElementsAre(3));
  queue.push(0, 0);
  for (const pipeline::StepIndex next : {1U, 2U, 0U}) {
    queue.done(first);
    ASSERT_TRUE(queue.can_take());
    first = queue.take();
    EXPECT_EQ(first.step, next);
    EXPECT_FALSE(queue.can_take());
  }
}

TEST(ReadyQueue, TellsWhenADomainIsExhaustedAndWhenNobodyWaitsForItAnyMore) {
  const auto definition = four_nodes();
  std::vector<int> busy;
  ReadyQueue queue(definition, [&](const WorkerPool& pool) { busy.push_back(pool.busy); });
  queue.push(0, 0);
  queue.push(1, 1);
  const auto first = queue.take();
  ASSERT_FALSE(queue.can_take());
  queue.done(first);
  ASSERT_TRUE(queue.can_take());
  queue.done(queue.take());
  EXPECT_THAT(busy, ElementsAre(1, 0));
}

TEST(ReadyQueue, GivesAllWhenItsLimitsAreLifted) {
  const auto definition = four_nodes();
  ReadyQueue queue(definition, [](const WorkerPool&) {});
  for (const pipeline::StepIndex node : {0U, 1U, 2U}) queue.push(node, node);
  const auto first = queue.take();
  ASSERT_FALSE(queue.can_take());
  queue.lift_limits();
  for (int left = 2; left > 0; --left) {
    ASSERT_TRUE(queue.can_take());
    queue.done(queue.take());
  }
  queue.done(first);
  EXPECT_EQ(queue.pools()[0].busy, 0);
}

class DomainTest : public EngineTest {
 protected:
  DomainTest() {
    add("x", "wait_for_free", [this](const tool::Call&) {
      std::unique_lock lock(mutex_);
      most_ = std::max(most_, ++running_);
      EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return free_began_; }));
      --running_;
      return json::Object();
    });
    add("x", "free", [this](const tool::Call&) {
      const std::lock_guard lock(mutex_);
      free_began_ = true;
      changed_.notify_all();
      return json::Object();
    });
    add("x", "fail",
        [](const tool::Call&) -> json::Object { throw std::invalid_argument("never"); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_began_ = false;
  int running_ = 0;
  int most_ = 0;
};

// Two threads: if the second node of the domain took one, the free node would never begin.
TEST_F(DomainTest, ANodeThatWaitsForItsDomainDoesNotRunAndKeepsNoThread) {
  const auto report = run(R"({"id": "p", "domains": {"gpu": 1}, "nodes": [
      {"id": "a", "plugin_id": "x", "tool_id": "wait_for_free", "domain": "gpu"},
      {"id": "b", "plugin_id": "x", "tool_id": "wait_for_free", "domain": "gpu"},
      {"id": "free", "plugin_id": "x", "tool_id": "free"}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_EQ(most_, 1);
  std::vector<std::string> pools;
  for (const auto& event : events()) {
    if (event.type == "worker_pool_changed") pools.push_back(event.members.at("attributes"));
  }
  EXPECT_THAT(pools, ElementsAre(R"({"domain":"gpu","limit":1,"busy":0})",
                                 R"({"domain":"gpu","limit":1,"busy":1})",
                                 R"({"domain":"gpu","limit":1,"busy":0})"));
}

TEST_F(DomainTest, ItemsOfANodeShareItsDomain) {
  free_began_ = true;
  const auto report = run(R"json({"id": "p", "domains": {"gpu": 2}, "nodes": [
      {"id": "each", "plugin_id": "x", "tool_id": "wait_for_free", "domain": "gpu",
       "for_each": "${input.list}"}]})json",
                          *json::parse(R"({"list": [1, 2, 3, 4, 5, 6, 7, 8]})")->object(), 8);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kCompleted);
  EXPECT_LE(most_, 2);
}

TEST_F(DomainTest, NothingIsSaidOfWhatWaitedForItsDomainWhenTheRunFails) {
  const auto report = run(R"({"id": "p", "domains": {"gpu": 1}, "nodes": [
      {"id": "a", "plugin_id": "x", "tool_id": "fail", "domain": "gpu"},
      {"id": "b", "plugin_id": "x", "tool_id": "free", "domain": "gpu"}]})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->outcome, pipeline::RunOutcome::kFailed);
  EXPECT_FALSE(free_began_);
  EXPECT_EQ(only("pipeline_node_started").node_id, "a");
}

TEST_F(EngineTest, PipelinesWithoutDomainsSayNothingOfThem) {
  ASSERT_TRUE(run(kTwoNodes));
  EXPECT_THAT(types(), testing::Not(testing::Contains("worker_pool_changed")));
}

}  // namespace
}  // namespace weir::engine
