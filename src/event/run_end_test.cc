#include "event/run_end.h"

#include <gtest/gtest.h>

namespace weir::event {
namespace {

TEST(RunEnd, IsFollowedByWhatChangesNoStateOnly) {
  for (const auto type : {Type::kPipelineCompleted, Type::kPipelineFailed, Type::kPipelineCancelled,
                          Type::kPipelineStarted, Type::kNodeStarted, Type::kNodeIo,
                          Type::kCacheHit, Type::kToolStarted, Type::kApprovalDecided,
                          Type::kGuardRetryExhausted, Type::kSignalAccepted}) {
    EXPECT_FALSE(may_follow_end(type)) << info(type).name;
  }
  for (const auto type :
       {Type::kToolUndone, Type::kToolUndoFailed, Type::kNodeWide, Type::kPipelineWide,
        Type::kArtifactWritten, Type::kArtifactReviewed, Type::kChildCompleted,
        Type::kProviderCallCompleted, Type::kSpan, Type::kLog, Type::kMetric, Type::kCustom}) {
    EXPECT_TRUE(may_follow_end(type));
  }
}

}  // namespace
}  // namespace weir::event
