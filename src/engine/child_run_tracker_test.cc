#include "engine/child_run_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/time.h"

namespace weir::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ChildRunTrackerTest : public testing::Test {
 protected:
  static RunId make_id() { return RunId::make(system_clock().now()); }
  ActiveChild begin(const RunId& parent, const std::string& node_id) {
    ActiveChild child{.run_id = make_id(), .node_id = node_id, .pipeline_id = "q"};
    tracker_.add(parent, child);
    return child;
  }

  ChildRunTracker tracker_;
  const RunId root_ = make_id();
};

TEST_F(ChildRunTrackerTest, SaysWhoRunsNowOfWhom) {
  const auto a = begin(root_, "a"), b = begin(root_, "b"), inner = begin(a.run_id, "n");
  EXPECT_THAT(tracker_.children_of(root_), ElementsAre(a, b));
  EXPECT_EQ(tracker_.parent_of(inner.run_id), a.run_id);
  EXPECT_EQ(tracker_.parent_of(root_), std::nullopt);
  EXPECT_EQ(tracker_.root_of(inner.run_id), root_);
  EXPECT_EQ(tracker_.root_of(root_), root_);
  EXPECT_THAT(tracker_.descendants_of(root_), ElementsAre(a, b, inner));

  tracker_.remove(b.run_id);
  EXPECT_THAT(tracker_.children_of(root_), ElementsAre(a));
  tracker_.clean_up(root_);
  EXPECT_THAT(tracker_.descendants_of(root_), IsEmpty());
  EXPECT_EQ(tracker_.parent_of(inner.run_id), std::nullopt);
}

TEST_F(ChildRunTrackerTest, CountsWhatItIsAsked) {
  const auto a = begin(root_, "a");
  const auto b = begin(root_, "b");
  begin(a.run_id, "n");
  tracker_.add(root_, a);  // known
  static_cast<void>(tracker_.children_of(root_));
  static_cast<void>(tracker_.parent_of(a.run_id));
  static_cast<void>(tracker_.root_of(a.run_id));
  tracker_.remove(b.run_id);
  tracker_.remove(b.run_id);  // not known any more
  tracker_.clean_up(b.run_id);
  const ChildRunMetrics expected{.registration_count = 3,
                                 .unregistration_count = 1,
                                 .lookup_count = 2,
                                 .tree_traversal_count = 1,
                                 .cleanup_count = 1,
                                 .max_concurrent_children = 2,
                                 .max_depth_seen = 2,
                                 .active_parents = 2,
                                 .active_children = 2,
                                 .total_relationships = 2};
  EXPECT_EQ(tracker_.metrics(), expected);

  tracker_.reset_metrics();
  EXPECT_EQ(tracker_.metrics(),
            (ChildRunMetrics{.active_parents = 2, .active_children = 2, .total_relationships = 2}));
}

TEST_F(ChildRunTrackerTest, ReportsUnderTheKnownNames) {
  const auto child = begin(root_, "a");
  EXPECT_EQ(json::to_text(json::Value(tracker_.report(child.run_id))),
            R"({"component":"ChildRunTracker","pipeline_run_id":")" + child.run_id.text() +
                R"(","is_child_run":true,"registration_count":1,"unregistration_count":0,)"
                R"("lookup_count":0,"tree_traversal_count":0,"cleanup_count":0,)"
                R"("max_concurrent_children":1,"max_depth_seen":1,"active_parents":1,)"
                R"("active_children":1,"total_relationships":1})");
  EXPECT_EQ(*tracker_.report(root_).find("is_child_run"), json::Value(false));
}

TEST_F(ChildRunTrackerTest, MayBeAskedByManyThreads) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < 500; ++round) {
        const auto child = begin(root_, "n");
        static_cast<void>(tracker_.descendants_of(root_));
        tracker_.remove(child.run_id);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(tracker_.metrics().registration_count, 2000);
  EXPECT_EQ(tracker_.metrics().unregistration_count, 2000);
  EXPECT_EQ(tracker_.metrics().active_children, 0);
}

}  // namespace
}  // namespace weir::engine
