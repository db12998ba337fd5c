#include "engine/error_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::engine {
namespace {

tool::Failure failure(std::string type, std::string message) {
  return {.type = std::move(type), .message = std::move(message), .exit_code = {}, .usage = {}};
}

TEST(ErrorSummary, SaysWhatKindOfFailureItIsAndWhetherToTryAgain) {
  const auto late = summarize(failure("TIMEOUT", "it had not ended after 30 s"));
  EXPECT_EQ(late, (ErrorSummary{.code = "TIMEOUT",
                                .type = "TIMEOUT",
                                .message = "it had not ended after 30 s",
                                .retryable = true}));
  EXPECT_EQ(to_string(late), "TIMEOUT: it had not ended after 30 s");

  const auto open = summarize(failure("CircuitOpen", "chat of acme"));
  EXPECT_EQ(open.code, "CIRCUIT_OPEN");
  EXPECT_TRUE(open.retryable);

  const auto bug = summarize(failure("std::logic_error", "never"));
  EXPECT_EQ(bug.code, "UNKNOWN");
  EXPECT_EQ(bug.type, "std::logic_error");
  EXPECT_FALSE(bug.retryable);
}

TEST(ErrorSummary, FitsOnALine) {
  const auto summary = summarize(failure("x", "first\nsecond " + std::string(600, 'y')));
  EXPECT_EQ(summary.message.size(), kMaxSummaryMessage);
  EXPECT_THAT(to_string(summary), testing::StartsWith("UNKNOWN: first second yy"));
}

}  // namespace
}  // namespace weir::engine
