#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/circuit.h"
#include "weir/provider_call.h"
#include "weir/run_logger.h"
#include "weir/status.h"
#include "weir/tool.h"

/// Pipelines whose tools are functions of your program, run in it and recorded as `weir run` does.
///
///   auto engine = weir::Engine::open(".weir", {"pipelines"});
///   if (!engine) …
///   engine->add_tool({"shop", "total"}, [](weir::ToolCall& call) -> weir::ToolResult {
///     return weir::ToolOutput{sum_of(call.payload())};
///   });
///   auto result = engine->run_pipeline("takings", R"({"day": "2026-11-29"})");
///
/// Linked with weir::engine (docs/embedding.md).
namespace weir {

namespace embed {
struct EngineState;
}  // namespace embed

/// A request to a run, of a type of your own.
struct SignalView {
  std::string_view run_id, signal_id, type, node_id, actor_id, reason;
  std::string_view payload;  ///< a JSON object
};

/// What somebody may ask of runs: each may what those before may, but a system may escalate alone.
enum class Role : std::uint8_t { kOperator, kEngineer, kAdmin, kSystem };

/// A type of signal beside Weir's eleven.
struct SignalKind {
  std::string name;             ///< a-z, 0-9, '-' and '.'
  Role role = Role::kOperator;  ///< who may ask it
  bool needs_node = false;
  bool needs_reason = false;
  std::vector<std::string> needs{};   ///< keys of the payload
  std::vector<std::string> allows{};  ///< other keys of it
  /// What it does once that it was accepted is recorded. What it throws is an ERROR in the log.
  std::function<void(const SignalView&)> act{};
};

/// What is asked of a run.
struct Signal {
  std::string type;  ///< "pause", "resume", "cancel", "retry-step", …, or one of yours
  std::string node_id{};
  std::string reason{};
  std::string actor_id{};
  std::string payload = "{}";
  std::string signal_id{};  ///< one that was decided is not decided again; empty: a new one
};

/// A run that a node of another one has begun, and that goes on.
struct ChildRun {
  std::string run_id;
  std::string node_id;  ///< of its parent
  std::string pipeline_id;
};

struct EngineOptions {
  /// Folders of pipelines, for `run_pipeline`.
  std::vector<std::filesystem::path> pipelines{};
  /// What `${secrets.NAME}` stands for. Of six bytes or more; never recorded.
  std::vector<std::pair<std::string, std::string>> secrets{};
  /// What an actor is, for signals, which are AUTHZ_DENIED to others; called from any thread.
  /// Empty: everybody may ask everything.
  std::function<Role(std::string_view actor_id)> role_of{};
};

struct RunRequestOptions {
  std::string params = "{}";  ///< of the pipeline, a JSON object
  std::string run_id{};       ///< as of `new_run_id`; empty: a new one
  std::string tenant_id{};
  std::string execution_mode{};
  int jobs = 1;  ///< nodes at a time
  /// The same for every request of the same work, for an IdempotencyInterceptor; empty: none.
  std::string idempotency_key{};
};

enum class RunEnd : std::uint8_t {
  kCompleted,
  kFailed,
  kCancelled,
  kRefused,  ///< nothing was run: the pipeline, its parameters or its mode are wrong
};

struct PipelineResult {
  std::string run_id;
  RunEnd end = RunEnd::kCompleted;
  std::string result = "{}";  ///< of a run that completed: its initial payload and output nodes'
  std::string failed_node_id{};
  std::string error_code{};  ///< as ErrorSummary's; empty where that is UNKNOWN
  std::string error_type{};
  std::string error_message{};
  double duration_ms = 0;

  [[nodiscard]] bool is_completed() const noexcept { return end == RunEnd::kCompleted; }
};

/// Runs pipelines in this process and records them. What it returns is on disk.
///
/// Threads  All functions from any thread, the adding ones before the first run. It has the threads
///          of a recorder, one that hears requests, and those of its runs. The destructor after all
///          runs.
class Engine {
 public:
  /// Makes what is missing of the store. Errors: as Recorder::open; kInvalidInput for a secret.
  [[nodiscard]] static StatusOr<Engine> open(const std::filesystem::path& store,
                                             EngineOptions options = {}) noexcept;
  Engine(Engine&& other) noexcept;
  Engine& operator=(Engine&& other) noexcept;
  ~Engine();

  /// Replaces one of the same name; Weir's own are sql, process, http, file and json. Errors:
  /// kInvalidInput without a name or function.
  Status add_tool(const ToolName& name, ToolFunction function) noexcept;
  /// Around the tools of all runs: one of weir/interceptors.h, or one of yours.
  Status add_interceptor(std::shared_ptr<Interceptor> interceptor) noexcept;
  /// In the place of the one before; null: none.
  void set_run_logger(std::shared_ptr<RunLogger> logger) noexcept;
  void set_provider_call_logger(std::shared_ptr<ProviderCallLogger> logger) noexcept;
  /// Replaces one of the same name. Errors: kInvalidInput.
  Status add_signal(SignalKind kind) noexcept;

  /// The pipeline of this id in the folders, which are read anew. A run that failed, or was
  /// refused, is a result. Errors: kNotFound; kInvalidInput for a payload that is no JSON object;
  /// those of the log.
  [[nodiscard]] StatusOr<PipelineResult> run_pipeline(
      std::string_view id, std::string_view payload = "{}",
      const RunRequestOptions& options = {}) noexcept;
  /// The same, of the text of a pipeline, JSON or YAML.
  [[nodiscard]] StatusOr<PipelineResult> run_definition(
      std::string_view definition, std::string_view payload = "{}",
      const RunRequestOptions& options = {}) noexcept;

  /// Goes on with a run of the store whose process was lost: what was completed is not run again,
  /// and every tool must be here. With a tenant, its run of this id; "": nobody's. Errors:
  /// kNotFound; kConflict (it has ended, another process has it, or several tenants have one and
  /// none is named); kInvalidInput (it cannot be run here); those of the log.
  [[nodiscard]] StatusOr<PipelineResult> resume(
      std::string_view run_id, int jobs = 1,
      const std::optional<std::string>& tenant_id = {}) noexcept;
  /// Runs a run of the store again, as a new one with the same input and parameters: from these
  /// nodes on, with what the others gave then; without any, from its beginning. Tenants as of
  /// resume. Errors: kNotFound; kConflict (it runs, and its outputs are not all there; several
  /// tenants have one); kInvalidInput; those of the log.
  [[nodiscard]] StatusOr<PipelineResult> rerun(
      std::string_view run_id, const std::vector<std::string>& from = {}, int jobs = 1,
      const std::optional<std::string>& tenant_id = {}) noexcept;

  [[nodiscard]] std::string new_run_id() const;
  /// Asks something of a run of this engine, which decides: the log tells. Errors: kNotFound (no
  /// such run is here), kInvalidInput, those of the log.
  Status signal(std::string_view run_id, const Signal& signal) noexcept;

  // Runs of this engine that go on, and whose nodes began which. Of an id that is none: nothing.
  [[nodiscard]] std::vector<ChildRun> children_of(std::string_view run_id) const;
  [[nodiscard]] std::optional<std::string> parent_of(std::string_view run_id) const;
  /// The run around all that are around this one; itself when there is none.
  [[nodiscard]] std::string root_of(std::string_view run_id) const;
  /// Children before their own children.
  [[nodiscard]] std::vector<ChildRun> descendants_of(std::string_view run_id) const;
  /// Of the runs that nodes of other runs have begun: the twelve figures of stageflow's tracker, a
  /// JSON object.
  [[nodiscard]] std::string child_run_metrics(std::string_view run_id) const;
  void reset_child_run_metrics() noexcept;

 private:
  explicit Engine(std::unique_ptr<embed::EngineState> state) noexcept;
  std::unique_ptr<embed::EngineState> state_;
};

}  // namespace weir
