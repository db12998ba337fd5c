#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/problem.h"
#include "base/rare.h"
#include "pipeline/expression.h"
#include "pipeline/params.h"
#include "pipeline/policy.h"
#include "pipeline/reference.h"
#include "tool/chunk_queue.h"

/// Pipelines as people write them. Pure: no I/O but for load_file, no clock.
namespace weir::pipeline {

enum class PipelineType : std::uint8_t { kDag, kLinear };
[[nodiscard]] std::string_view to_string(PipelineType type);

/// A word and where it stands in the file.
struct Located {
  std::string text;
  json::Position position{};
};

/// A step. What few nodes have takes a pointer where it is absent: there may be a million of them.
struct Node {
  Located id;
  Located plugin_id;
  Located tool_id;
  json::Object with;  ///< as written
  json::Position with_position{};
  bool with_was_read = true;    ///< false: it is no object, which is a problem of the file's form
  bool has_references = false;  ///< `with` is to be resolved before the tool gets it
  std::vector<Reference> references;  ///< in `with`

  std::string pipeline;      ///< a sub-pipeline's id, in the place of plugin and tool
  Rare<Reference> for_each;  ///< a list: the node is run once for each of its items
  Rare<Expression> when;     ///< false: the node is skipped
  Rare<RetryPolicy> retry;   ///< its own, or the pipeline's default
  std::optional<std::chrono::milliseconds> timeout;  ///< of one attempt; the same
  Rare<GuardRetry> guard_retry;
  Rare<Approval> approval;
  Rare<Undo> undo;
  Rare<CachePolicy> cache;
  Rare<CircuitBreaker> circuit_breaker;
  std::string domain;         ///< of Definition::domains; empty: none
  bool effects_once = false;  ///< an attempt that may have had its effects is not tried again
  std::vector<std::string> input_types;   ///< empty: as its tool says
  std::vector<std::string> output_types;  ///< empty: as its tool says
};
struct Edge {
  Located from;
  Located to;
  Rare<tool::StreamOptions> stream{};  ///< they run at the same time, joined by it
};

/// What a run does when what it says cannot be recorded any more.
enum class OnLogFailure : std::uint8_t {
  kStop,      ///< it is cancelled: what is not recorded did not happen
  kContinue,  ///< it goes on, and says at its end that the record is incomplete
};

/// Which wide events a run records: all that is known of a node, or of the run, in one event.
struct WideEvents {
  bool nodes = false;  ///< one `node_wide` a node, when it ends
  bool run = false;    ///< one `pipeline_wide`, after the run's end
  bool operator==(const WideEvents&) const = default;
};

/// A name, and what it stands for.
template <class T>
using ByName = std::map<std::string, T, std::less<>>;

/// What is done when something that a pipeline requires is not there.
enum class Fallback : std::uint8_t {
  kReject,   ///< it is not run
  kEmulate,  ///< it is run, and what stands in for it is enough
  kDegrade,  ///< it is run without it, and every run says so
};

struct Definition {
  std::string id;
  std::string name;
  std::string version = "1";
  PipelineType type = PipelineType::kDag;
  std::optional<OnLogFailure> on_log_failure;  ///< nothing: as whoever runs it decides
  WideEvents wide_events;
  bool tool_events = false;  ///< its runs record the calls of their tools, too
  Params params;
  FailureMode on_failure = FailureMode::kFailFast;
  std::optional<std::chrono::milliseconds> timeout;  ///< of the run
  NodeDefaults defaults;                             ///< a loaded file's nodes have them already
  ByName<ExecutionMode> execution_modes;
  ByName<int> domains;  ///< of how many nodes each runs at a time
  std::optional<Expectation> expect;
  std::vector<Located> requires_capabilities;  ///< see capabilities.h
  Fallback fallback = Fallback::kReject;       ///< of those
  std::optional<std::int64_t> seed;            ///< of what is random in its runs
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<Located> entry_nodes;
  std::vector<Located> output_nodes;
  bool names_output_nodes = false;  ///< they are not derived
};

}  // namespace weir::pipeline
