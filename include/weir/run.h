#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/event_types.h"
#include "weir/field.h"
#include "weir/fields.h"
#include "weir/status.h"
#include "weir/trace.h"

namespace weir {

class Logger;
class Node;

namespace embed {
struct RunState;
struct NodeState;
}  // namespace embed

/// When `emit` returns, and what the end of the process leaves of what it was given.
///
///                       kMemory        kBatch               kCommit
///   emit returns when   it is queued   it is queued         it is committed
///   committed within    0.2 s          5 ms                 at once
///   exit, abort         may be lost    nothing is lost      nothing is lost
///   kill -9, power      may be lost    the last 5 ms are    nothing is lost
enum class Durability : std::uint8_t { kMemory, kBatch, kCommit };

struct RunOptions {
  std::string pipeline_id;  ///< must be there
  std::string pipeline_version = "1";
  std::string pipeline_type = "external";  ///< or dag, linear
  std::string run_id{};                    ///< a UUID; empty: a new one
  Durability durability = Durability::kBatch;
  /// The run's trace goes on from here; empty: a new trace.
  TraceContext parent{};
  /// Text fields that every event of the run has, unless it says something else: who it is for, who
  /// asked for it, …
  std::vector<std::pair<TextField, std::string>> fields{};
  std::string component{};  ///< of the run's spans: the service or library that speaks
  /// Called once when the log cannot be written, on a thread of the recorder, which it must not
  /// wait for: from then on nothing of this run is recorded.
  std::function<void()> on_lost{};
};

/// What happened and how urgent it is: a type of the catalogue with its usual level or another, or
/// a name of your own (INFO), `[a-z][a-z0-9_.]*`, at most 128 characters.
class EventName {
 public:
  EventName(EventType type) noexcept : type_(type) {}
  EventName(EventType type, Level level) noexcept : type_(type), level_(level) {}
  template <class T, std::enable_if_t<std::is_convertible_v<const T&, std::string_view>, int> = 0>
  EventName(const T& name) noexcept : name_(name) {}
  EventName(std::string_view name, Level level) noexcept : name_(name), level_(level) {}

  [[nodiscard]] EventType type() const noexcept { return type_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }  ///< of kCustom
  [[nodiscard]] std::optional<Level> level() const noexcept { return level_; }

 private:
  std::string_view name_;
  EventType type_ = EventType::kCustom;
  std::optional<Level> level_{};
};

struct PipelineStart {
  Strings entry_nodes{};
  Strings output_nodes{};
  std::int64_t node_count = 0;
};

struct NodeStart {
  std::string node_id;
  std::string plugin_id = "app";
  std::string tool_id = "function";
  std::int64_t step_index = 0;  ///< place in topological order
  Strings predecessors{};
  std::int64_t attempt = 1;
};

/// An execution of a pipeline while it is recorded.
///
/// Refusals   An event that is malformed (no duration where its type must have one, a number that
///            is not finite, …) or too late (the run has ended) is not recorded: `emit` returns
///            false, and the next `flush` or `end` says why. Nothing is refused in silence.
/// Threads    All functions from any thread.
class Run {
 public:
  Run(Run&& other) noexcept;
  Run& operator=(Run&& other) noexcept;  ///< Ends what was here before.
  /// As `end`.
  ~Run();

  [[nodiscard]] const std::string& id() const noexcept;  ///< 36 characters
  [[nodiscard]] TraceContext context() const noexcept;   ///< the run's own trace

  /// Records an event: the fields, in any order, then the ids of the current context and of the
  /// run. Copies what is named; waits while this thread's buffer is full, and with
  /// Durability::kCommit for the commit. Does not allocate but for attributes, a thread's first
  /// events, and events too large for the buffer.
  bool emit(EventName name, Fields fields = {}) noexcept;
  /// The same, but never waits: false also when the buffer was full and the event was dropped.
  bool try_emit(EventName name, Fields fields = {}) noexcept;

  /// Writes `log` events. A malformed name gets the settings of the nearest name above it.
  [[nodiscard]] Logger logger(std::string_view name) noexcept;

  /// Inside what is current in this thread, or else in the run's trace.
  [[nodiscard]] Span span(std::string_view name, Fields attributes = {}) noexcept;
  [[nodiscard]] Span span_in(const TraceContext& parent, std::string_view name,
                             Fields attributes = {}) noexcept;

  // The common life of a pipeline: durations and counts are taken from the calls themselves.
  bool pipeline_started(const PipelineStart& start, Fields more = {}) noexcept;
  bool pipeline_completed(Strings output_node_ids, Fields more = {}) noexcept;
  /// The node that failed is the first one that did.
  bool pipeline_failed(std::string_view error_type, std::string_view message,
                       Fields more = {}) noexcept;
  bool pipeline_cancelled(std::string_view reason, Fields more = {}) noexcept;
  [[nodiscard]] Node start_node(const NodeStart& start, Fields more = {}) noexcept;

  /// Waits until everything that this thread has emitted is on disk. Errors: those of the log;
  /// kInvalidInput, kCancelled and others for the first event refused since the last call.
  [[nodiscard]] Status flush() noexcept;
  /// `flush`, and nothing is taken any more, from loggers and nodes neither. Only a span that is
  /// open still is recorded when it ends.
  [[nodiscard]] Status end() noexcept;
  /// Whether recording has failed: see RunOptions::on_lost. In a forked child, which is not told
  /// so, all runs of the parent are lost.
  [[nodiscard]] bool is_lost() const noexcept;

 private:
  friend struct embed::Access;
  friend class Recorder;
  explicit Run(std::shared_ptr<embed::RunState> state) noexcept;
  std::shared_ptr<embed::RunState> state_;
};

/// One try of a node, from `Run::start_node` to the first of `completed` and `failed`. Destroyed
/// without either, it has failed with the error type `abandoned`, or `exception` if one is leaving.
///
/// Threads  One at a time.
class [[nodiscard]] Node {
 public:
  Node(Node&& other) noexcept;
  Node& operator=(Node&&) = delete;
  ~Node();

  bool completed(Strings output_keys = {}, Fields more = {}) noexcept;
  bool failed(std::string_view error_type, std::string_view message, Fields more = {}) noexcept;

 private:
  friend class Run;
  explicit Node(std::unique_ptr<embed::NodeState> state) noexcept;
  std::unique_ptr<embed::NodeState> state_;
};

}  // namespace weir
