#include "pipeline/guard_progress.h"

#include "base/json_canonical.h"

namespace weir::pipeline {

GuardProgress::Verdict GuardProgress::failed(const GuardRetry& policy, const Failure& failure) {
  if (failures_ == 0) first_failed_at_ = failure.at;
  const bool is_same = failures_ > 0 && failure.output == last_output_;
  ++failures_;
  same_outputs_ = is_same ? same_outputs_ + 1 : 1;
  last_output_ = failure.output;
  if (policy.timeout && failure.at - first_failed_at_ >= *policy.timeout) return Verdict::kTimeout;
  if (same_outputs_ >= policy.stagnation_limit) return Verdict::kStagnation;
  if (failures_ >= policy.max_attempts) return Verdict::kMaxAttempts;
  return Verdict::kAgain;
}

std::string_view to_string(GuardProgress::Verdict verdict) {
  static constexpr std::string_view kNames[] = {"again", "timeout", "stagnation", "max_attempts"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Sha256 digest_of(const json::Object* output, std::span<const std::string> fields) {
  json::Value compared;
  if (output != nullptr && fields.empty()) {
    compared = *output;
  } else if (output != nullptr) {
    json::Object chosen;
    for (const auto& field : fields) {
      if (const auto* value = output->find(field)) chosen.set(field, *value);
    }
    compared = std::move(chosen);
  }
  // What has no canonical form, as a number beyond 2^53, is compared as it is written.
  const auto canonical = json::canonical_text(compared);
  return sha256(canonical ? *canonical : json::to_text(compared));
}

}  // namespace weir::pipeline
