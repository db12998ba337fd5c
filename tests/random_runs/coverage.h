#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tests/random_runs/player.h"

namespace weir::random_runs {

/// What the cases have held, so that none is missing without a word.
class Coverage {
 public:
  Coverage();

  /// A case whose run was not lost.
  void add(const RandomPipeline& pipeline, const PlayedRun& whole);
  /// What others have held.
  void add(const Coverage& other);
  /// A run was lost after an event of this type.
  void add_loss(const std::string& type) { ++losses_[type]; }
  [[nodiscard]] int losses(const std::string& type) const;
  /// Runs are lost after one too seldom, or nearly so, as far as it is judged.
  [[nodiscard]] bool is_rare(const std::string& type) const;
  /// The ends of a run that was lost and of one that was not were compared; or only in part: why.
  void add_compared(std::string_view why_in_part);
  void add_events(std::size_t events, std::size_t compared) {
    events_ += events;
    compared_events_ += compared;
  }

  /// Prints it. False: there is something that too few cases held.
  [[nodiscard]] bool judge(std::uint64_t cases) const;

 private:
  using Counts = std::map<std::string, int>;

  Counts modes_;
  Counts signals_;  ///< that were accepted and did what they are for
  Counts losses_;
  Counts compared_;
  int cases_ = 0;
  int retries_ = 0;
  std::size_t events_ = 0, compared_events_ = 0;
};

}  // namespace weir::random_runs
