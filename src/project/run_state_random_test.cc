// RunState over random runs: against a second judge, and cut into two at every event.

#include <gtest/gtest.h>

#include <iostream>

#include "project/event_feed_testing.h"
#include "project/order_checker_testing.h"
#include "project/random_run_testing.h"
#include "project/run_state.h"
#include "project/run_state_json.h"

namespace weir::project {
namespace {

using testing_support::disturbed;
using testing_support::EventFeed;
using testing_support::OrderChecker;
using testing_support::RandomEvent;
using testing_support::RandomRun;

using Events = std::vector<RandomEvent>;

void feed_all(EventFeed& feed, const Events& events) {
  for (const auto& event : events) feed.event(event.type, event.members);
}

TEST(RandomRuns, ThatMayHappenAreConsistent) {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RunState run;
    EventFeed feed([&](const auto& event, std::string_view) { run.apply(event); });
    const auto events = RandomRun(seed).events();
    feed_all(feed, events);
    for (const auto& event : events) ++seen[event.type];
    ASSERT_FALSE(run.is_inconsistent())
        << run.forbidden.front().event_type << " " << run.forbidden.front().why << " at "
        << run.forbidden.front().run_seq;
    ASSERT_FALSE(run.is_stale());
  }
  for (const auto* type : {"pipeline_node_retry_scheduled", "pipeline_resumed", "signal_deferred",
                           "guard_retry_recovered", "approval_decided", "pipeline_cancelled"}) {
    EXPECT_GT(seen[type], 200) << type;
  }
}

// Event by event, so that both also agree on what a refused event leaves: nothing.
TEST(RandomRuns, AreJudgedAsTheSecondJudgeDoes) {
  int refused = 0, accepted = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RunState run;
    OrderChecker checker;
    EventFeed feed([&](const event::EventView& event, std::string_view line) {
      const auto before = run.forbidden_count;
      run.apply(event);
      const bool refuses = run.forbidden_count > before;
      EXPECT_EQ(!refuses, checker.allows(event)) << line;
      ++(refuses ? refused : accepted);
    });
    feed_all(feed, disturbed(RandomRun(seed).events(), seed));
    if (testing::Test::HasFailure()) return;
  }
  std::cout << accepted << " events accepted, " << refused << " refused\n";
  EXPECT_GT(refused, 3000);
}

RunState through_text(const RunState& run) {
  const auto snapshot = json::parse(json::to_text(to_json(run)));
  auto read = run_state_from_json(*snapshot);
  EXPECT_TRUE(read) << read.error().message;
  return read.value_or(RunState());
}

// With events that come twice, late, or not at all.
TEST(RandomRuns, GoOnFromASnapshotAsIfItWereNotThere) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto events = disturbed(RandomRun(seed, 40).events(), seed);
    std::vector<std::int64_t> order;
    for (std::size_t i = 0; i < events.size(); ++i) {
      order.push_back(static_cast<std::int64_t>(i));
      if (i % 11 == 7) order.push_back(order[i / 2]);
    }
    std::swap(order[order.size() / 2], order[order.size() / 3]);
    if (seed % 2 == 0) order.erase(order.begin() + 5);
    const auto fold = [&](std::size_t cut) {
      RunState run;
      EventFeed feed([&](const auto& event, std::string_view) { run.apply(event); });
      for (std::size_t i = 0; i < order.size(); ++i) {
        if (i == cut) run = through_text(run);
        feed.seq = order[i];
        const auto& event = events[static_cast<std::size_t>(order[i])];
        feed.event(event.type, event.members);
      }
      return cut == order.size() ? through_text(run) : run;
    };
    const auto whole = fold(order.size() + 1);
    for (std::size_t cut = 0; cut <= order.size(); ++cut) {
      const auto parts = fold(cut);
      ASSERT_EQ(parts, whole) << "cut at " << cut;
      ASSERT_EQ(hash_of(parts)->text(), hash_of(whole)->text());
    }
  }
}

}  // namespace
}  // namespace weir::project
