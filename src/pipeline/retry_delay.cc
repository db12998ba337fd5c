#include <algorithm>
#include <cmath>

#include "pipeline/scheduler.h"

namespace weir::pipeline {
namespace {

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators), as 0 … 1.
double uniform(std::uint64_t stream) {
  stream += 0x9e3779b97f4a7c15U;
  stream = (stream ^ stream >> 30) * 0xbf58476d1ce4e5b9U;
  stream = (stream ^ stream >> 27) * 0x94d049bb133111ebU;
  return static_cast<double>((stream ^ stream >> 31) >> 11) * 0x1p-53;
}

double plain_delay(const RetryPolicy& policy, int next) {
  const auto base = static_cast<double>(policy.delay.count());
  switch (policy.backoff) {
    case Backoff::kConstant:
      return base;
    case Backoff::kLinear:
      return base * (next - 1);
    case Backoff::kExponential:
      break;
  }
  return std::ldexp(base, next - 2);
}

}  // namespace

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int next, std::uint64_t stream) {
  const auto most = static_cast<double>(policy.max_delay.count());
  const auto random = [&](int attempt) {
    return uniform(stream * 0xff51afd7ed558ccdU + static_cast<std::uint64_t>(attempt));
  };
  auto delay = std::min(plain_delay(policy, next), most);
  switch (policy.jitter) {
    case Jitter::kNone:
      break;
    case Jitter::kFull:
      delay *= random(next);
      break;
    case Jitter::kEqual:
      delay *= 0.5 + 0.5 * random(next);
      break;
    case Jitter::kDecorrelated: {
      // Each is spread between the base and three times the one before.
      const auto base = static_cast<double>(policy.delay.count());
      delay = base;
      for (int attempt = 2; attempt <= next; ++attempt) {
        delay = std::min(most, base + (3 * delay - base) * random(attempt));
      }
      break;
    }
  }
  return std::chrono::milliseconds(std::llround(delay));
}

}  // namespace weir::pipeline
