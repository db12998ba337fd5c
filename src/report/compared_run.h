#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "pipeline/definition.h"
#include "project/run_state.h"
#include "report/plan.h"

namespace weir::report {

/// What a node gave.
struct NodeOutput {
  Sha256 sha256;     ///< of its JSON, wherever that is kept
  std::string text;  ///< empty: it is an artifact
};

/// A log line of a node, or of the run, without what changes from run to run.
struct LogKey {
  std::string node_id;
  std::string level;
  std::string message;

  auto operator<=>(const LogKey&) const = default;
};

/// `message` with `#` for its numbers and for what looks like an id: 17 ms and 18 ms are no news.
[[nodiscard]] std::string without_numbers(std::string_view message);

/// What is compared of a run. Fold its events in their order.
class ComparedRun {
 public:
  /// Different log messages that are kept; later ones are counted.
  static constexpr std::size_t kMostMessages = 50'000;

  project::RunState state;
  /// What the run began with, by name: versions, hashes, place; parameters as `params.NAME`, JSON.
  std::map<std::string, std::string> settings;
  std::map<std::string, NodeOutput, std::less<>>
      outputs;                                 ///< of each node's last completed attempt
  std::map<std::string, std::int64_t> events;  ///< how many of each type
  std::map<std::string, double> sums;          ///< rows, tokens, bytes, cost
  struct Messages {
    std::string first;  ///< as it was said
    std::int64_t count = 0;
  };
  std::map<LogKey, Messages> logs;
  std::map<std::string, std::int64_t, std::less<>> ended_at;  ///< run_seq of each node's end
  std::string file;                                           ///< where its definition was read
  /// As it was, when somebody has put it here: what only the definition knows is not compared
  /// otherwise.
  std::optional<pipeline::Definition> definition;
  json::Object written;  ///< the same, as its file says it

  void apply(const event::EventView& event);

  /// The definition's graph; else what the events say of it.
  [[nodiscard]] Plan plan() const;

 private:
  void begin(const event::EventView& event);
  void end_node(const event::EventView& event);
  void add_log(const event::EventView& event);
};

}  // namespace weir::report
