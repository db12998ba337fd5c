#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "event/decoder.h"

namespace weir::project {

/// Of a node or a run; runs are never skipped.
enum class State : std::uint8_t { kPending, kRunning, kCompleted, kFailed, kSkipped, kCancelled };
inline constexpr std::size_t kStateCount = 6;
[[nodiscard]] std::string_view to_string(State state);

/// Why an event may not come now; nothing when it may.
using Refusal = std::optional<std::string>;

/// What an attempt used, as far as its end says. Bytes and rows as event::Field has them.
struct Usage {
  std::optional<double> cpu_ms;
  std::optional<std::int64_t> memory_bytes;  ///< the most at a time
  std::optional<std::int64_t> read_bytes;
  std::optional<std::int64_t> written_bytes;
  std::optional<std::int64_t> rows;

  bool operator==(const Usage&) const = default;
};

/// One try of a node. When it has ended it never changes.
struct Attempt {
  std::int64_t number = 0;          ///< of the work: 1, 2, …
  std::int64_t engine_attempt = 0;  ///< of the machinery: 1, 2, …
  State state = State::kPending;    ///< running, then how it ended
  Timestamp started_at{};
  std::optional<Timestamp> ended_at;
  std::optional<double> duration_ms;
  /// More than the state says. `unknown`: it was cancelled by the end of its machinery.
  std::string outcome;
  std::string error_type;
  std::string error_message;
  Usage usage;

  bool operator==(const Attempt&) const = default;
};

/// Whether a node waits for another try.
enum class Retry : std::uint8_t {
  kNone,
  kAsked,      ///< by a signal
  kScheduled,  ///< by the engine
};
[[nodiscard]] std::string_view to_string(Retry retry);

/// Whether what a node has done was taken back, because its run did not complete.
enum class Undo : std::uint8_t {
  kNone,
  kUndone,
  kFailed,  ///< it was tried: the effects remain
};
/// "none", "undone", "failed"
[[nodiscard]] std::string_view to_string(Undo undo);

inline constexpr std::size_t kLastLogLines = 5;

struct ObservedSpan;

struct NodeState {
  std::string node_id;
  std::string plugin_id;
  std::string tool_id;
  std::int64_t step_index = 0;
  std::vector<std::string> predecessors;
  State state = State::kPending;
  std::vector<Attempt> attempts;  ///< in their order; the last one runs or was the last
  Retry retry = Retry::kNone;
  std::int64_t next_attempt = 0;  ///< the number of the try that it waits for
  bool guard_retries = false;     ///< it is a guard, which failed and has others run again
  std::optional<bool> cache_hit;
  Undo undo = Undo::kNone;
  std::string reason;  ///< why it was skipped, cancelled, or not found in the cache
  std::int64_t log_lines = 0;
  std::vector<std::string> last_log_lines;  ///< the newest kLastLogLines, oldest first

  bool operator==(const NodeState&) const = default;

  /// Null before the first start.
  [[nodiscard]] const Attempt* last_attempt() const {
    return attempts.empty() ? nullptr : &attempts.back();
  }

  /// What the run knows when one of the node's events comes.
  struct Circumstances {
    std::int64_t engine_attempt = 1;
    bool guard_retries = false;  ///< some guard has asked for other nodes to run again
  };
  /// pipeline_node_*. A refused event changes nothing.
  [[nodiscard]] Refusal apply(const event::EventView& event, const Circumstances& run);
  /// A span of another system's trace, in which it is a node: of several of them the last one told
  /// says how it is, and the first when it began.
  void observe(const event::EventView& event, const ObservedSpan& span);
  /// An accepted signal: the node is to be tried again.
  [[nodiscard]] Refusal ask_for_retry();
  /// Its machinery is gone: if it ran, nobody knows how that ended, and it will run again.
  void lose_attempt();
  void add_log_line(std::string_view line);

 private:
  Refusal start(const event::EventView& event, const Circumstances& run);
  Refusal end(const event::EventView& event, State how);
  Refusal schedule_retry(const event::EventView& event, const Circumstances& run);
};

}  // namespace weir::project
