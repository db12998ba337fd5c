#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "record/recorder.h"

namespace weir::server {

struct Caller;

/// Says in the log what callers were refused: an audit event of the caller's tenant each, at most
/// kMostPerSecond, and then how many there were besides. When the log fails, they are refused all
/// the same.
///
/// Threads Any.
class Refusals {
 public:
  static constexpr int kMostPerSecond = 20;

  explicit Refusals(record::Recorder& recorder) : recorder_(recorder) {}

  /// `operation` names the route, never what stands in its place: that may be a secret.
  void add(std::string_view operation, std::string_view peer, const Caller& caller,
           std::string_view why);

 private:
  record::Recorder& recorder_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::chrono::seconds second_{};
  int said_ = 0;
  std::uint64_t unsaid_ = 0;
};

}  // namespace weir::server
