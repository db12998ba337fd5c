#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/json.h"
#include "base/time.h"
#include "pipeline/policy.h"

namespace weir::pipeline {

/// How often a guard has failed, and whether what it guards changes. Pure: a function of its
/// failures, so that a run that goes on elsewhere comes to the same verdicts.
class GuardProgress {
 public:
  enum class Verdict : std::uint8_t { kAgain, kTimeout, kStagnation, kMaxAttempts };

  struct Failure {
    Sha256 output;  ///< `digest_of` what the retried node has made
    Timestamp at;
  };
  [[nodiscard]] Verdict failed(const GuardRetry& policy, const Failure& failure);
  /// It has completed, or it is given up: the next failure is a first one again.
  void end() { *this = {}; }

  [[nodiscard]] int failures() const { return failures_; }
  /// How many outputs in a row, up to the last, are the same: at least 1 after a failure.
  [[nodiscard]] int same_outputs() const { return same_outputs_; }

 private:
  int failures_ = 0;
  int same_outputs_ = 0;
  Sha256 last_output_;
  Timestamp first_failed_at_;
};

/// As `reason` of guard_retry_exhausted.
[[nodiscard]] std::string_view to_string(GuardProgress::Verdict verdict);

/// SHA-256 of the canonical JSON of an output, or of those of its members that are named. Null is a
/// node that has none.
[[nodiscard]] Sha256 digest_of(const json::Object* output, std::span<const std::string> fields);

}  // namespace weir::pipeline
