#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "event/decoder.h"
#include "project/run_key.h"

namespace weir::project {

enum class CacheAnswer : std::uint8_t { kHit, kMiss };

/// Reads from the events of runs what a cache answered their nodes, each answer once: an engine
/// tells of it with `cache_hit` or `cache_miss`, with the end of the node (the field `cache_hit`,
/// the outcome `cached`), or with both. Fold events in their order.
class CacheAnswers {
 public:
  /// Nodes of which an answer is known and the end is not. Of more, the oldest run's are forgotten:
  /// if the end of such a node repeats the answer, it counts twice.
  static constexpr std::size_t kMaxOpenNodes = 65'536;
  /// Of longer ids the beginning counts.
  static constexpr std::size_t kMaxNodeIdBytes = 256;

  /// The answer that this event is the first to tell of.
  [[nodiscard]] std::optional<CacheAnswer> add(const event::EventView& event);

 private:
  std::set<std::pair<RunKey, std::string>> told_;
};

}  // namespace weir::project
