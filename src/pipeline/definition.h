#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/problem.h"

/// Pipelines as people write them. Pure: no I/O but for load_file, no clock.
namespace weir::pipeline {

enum class PipelineType : std::uint8_t { kDag, kLinear };
[[nodiscard]] std::string_view to_string(PipelineType type);

/// A word and where it stands in the file.
struct Located {
  std::string text;
  json::Position position{};
};

struct Node {
  Located id;
  Located plugin_id;
  Located tool_id;
  json::Object with;
  json::Position with_position{};
  bool with_was_read = true;  ///< false: it is no object, which is a problem of the file's form
};

struct Edge {
  Located from;
  Located to;
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

struct Definition {
  std::string id;
  std::string name;
  std::string version = "1";
  PipelineType type = PipelineType::kDag;
  std::optional<OnLogFailure> on_log_failure;  ///< nothing: as whoever runs it decides
  WideEvents wide_events;
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<Located> entry_nodes;
  std::vector<Located> output_nodes;
};

}  // namespace weir::pipeline
