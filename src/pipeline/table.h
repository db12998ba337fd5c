#pragma once

#include "config/object.h"
#include "pipeline/definition.h"

/// The table: every key of a pipeline file, what it may be and what it means. Reading, the JSON
/// Schema and the reference page come from it. Internal to pipeline.
namespace weir::pipeline {

inline constexpr std::size_t kMaxNodes = 1'000'000;
inline constexpr std::size_t kMaxEdges = 4'000'000;

/// A node as it is written.
struct WrittenNode : Node {
  std::vector<Located> needs;
  Located plugin_type;  ///< another name of plugin_id
  Located tool_type;    ///< another name of tool_id
  std::string description;
  json::Position position{};
};

/// A pipeline as it is written.
struct Written {
  Definition definition;  ///< without nodes; its edges without those of `needs`
  std::string description;
  std::vector<WrittenNode> nodes;
  Located plugin_id;               ///< of a linear one
  std::vector<WrittenNode> tools;  ///< of a linear one
};

/// The whole file; made once.
[[nodiscard]] const config::Shape<Written>& pipeline_shape();

// Its parts.
[[nodiscard]] config::Shape<WrittenNode> node_shape();
/// One of `tools`: a tool's name, or a node without plugin and predecessors.
[[nodiscard]] config::Shape<WrittenNode> linear_tool_shape();
[[nodiscard]] config::Shape<std::chrono::milliseconds> timeout_shape();
[[nodiscard]] config::Shape<RetryPolicy> retry_shape();
[[nodiscard]] config::Shape<GuardRetry> guard_retry_shape();
[[nodiscard]] config::Shape<Approval> approval_shape();
[[nodiscard]] config::Shape<Undo> undo_shape();
[[nodiscard]] config::Shape<CachePolicy> cache_shape();
[[nodiscard]] config::Shape<CircuitBreaker> circuit_breaker_shape();
[[nodiscard]] config::Shape<Expectation> expectation_shape();
[[nodiscard]] config::Shape<ExecutionMode> execution_mode_shape();
[[nodiscard]] config::Shape<NodeDefaults> defaults_shape();
[[nodiscard]] config::Shape<tool::StreamOptions> stream_shape();

}  // namespace weir::pipeline
