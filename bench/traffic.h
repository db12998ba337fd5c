#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "record/recorder.h"

namespace weir::bench {

/// Runs as they come: a few pipelines have most of them, most runs are small and a few are large,
/// durations spread over orders of magnitude, some nodes fail. The same each time.
class Traffic {
 public:
  /// Emits the events of one run, and returns how many.
  std::uint64_t run(record::Recorder& recorder);

  [[nodiscard]] const std::vector<RunId>& runs() const { return runs_; }

 private:
  void node(record::Run& run, std::string_view name, std::int64_t step, double duration,
            bool fails);

  std::vector<RunId> runs_;
  std::mt19937_64 chance_{7};
  std::normal_distribution<double> pipelines_{1.0, 1.2}, sizes_{3.0, 1.6}, durations_{3.5, 1.8};
};

}  // namespace weir::bench
