#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "report/compared_run.h"
#include "report/json_difference.h"
#include "report/node_history.h"

namespace weir::report {

/// Something that two runs say differently. Empty: it is not there.
struct Change {
  std::string what;
  std::string a;
  std::string b;

  bool operator==(const Change&) const = default;
};

/// What a difference between two durations is, seen beside earlier runs (see is_unusual).
enum class Pace : std::uint8_t {
  kAlike,    ///< within the noise
  kSlower,   ///< b than a
  kFaster,   ///< b than a
  kUnknown,  ///< there are too few earlier runs to tell
};
[[nodiscard]] std::string_view pace_name(Pace pace);

struct DurationChange {
  std::optional<double> a_ms;  ///< nothing: it did not complete there
  std::optional<double> b_ms;
  std::optional<Usual> usual;  ///< of earlier runs
  Pace pace = Pace::kUnknown;
};

/// A node that both runs know, or one.
struct NodeComparison {
  std::string node_id;
  bool in_a = false;
  bool in_b = false;
  std::string state_a;  ///< as project::to_string(State); pending too when it never started
  std::string state_b;
  std::vector<Change> changes;           ///< state, attempts, outcome, error, tool, settings…
  std::optional<JsonDifference> output;  ///< the first difference of what it gave
  bool output_differs = false;           ///< also when it cannot be read any more
  DurationChange duration;

  /// It did or gave something else; how long it took does not count.
  [[nodiscard]] bool differs() const { return in_a != in_b || !changes.empty() || output_differs; }
};

/// A message that one run has and the other has not, numbers aside.
struct LogOnlyIn {
  std::string node_id;
  std::string level;
  std::string message;
  std::int64_t count = 0;
};

/// Where the runs part: the first difference that no other one explains.
struct Parting {
  std::string setting;   ///< what they began with another one of; empty: nothing
  std::string node_id;   ///< the first node that differs; empty: none does
  std::string sentence;  ///< in what
};

struct Side {
  RunId run_id;
  std::string pipeline_id;
  std::string state;
  Timestamp started_at{};
  std::optional<double> duration_ms;
};

struct Comparison {
  Side a, b;
  std::optional<Parting> parting;
  std::vector<Change> settings;
  std::vector<Change> outcome;             ///< of the runs themselves: state, error, …
  std::vector<std::string> nodes_added;    ///< in b only
  std::vector<std::string> nodes_removed;  ///< in a only
  std::vector<Change> nodes_moved;         ///< what each needs
  DurationChange duration;
  std::vector<NodeComparison> nodes;  ///< all, in b's order, then those in a only
  std::vector<LogOnlyIn> logs_only_a;
  std::vector<LogOnlyIn> logs_only_b;
  std::vector<Change> counts;  ///< of events, nodes and what was used, where they differ

  /// The same graph, settings, states, errors and outputs. Durations, log lines and counts vary
  /// from run to run, and do not count.
  [[nodiscard]] bool is_same() const;
};

/// Reads an output that is an artifact.
using ReadOutput = std::function<Result<json::Value>(const Sha256& sha256)>;

/// `history` is that of b's pipeline, without both runs.
[[nodiscard]] Comparison compare(const ComparedRun& a, const ComparedRun& b,
                                 const NodeHistory& history, const ReadOutput& read_output);

[[nodiscard]] json::Object to_json(const Comparison& comparison);

/// One page that needs nothing else, for a screen and for paper.
[[nodiscard]] std::string to_html(const Comparison& comparison);

}  // namespace weir::report
