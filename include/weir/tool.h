#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weir/field.h"
#include "weir/status.h"
#include "weir/stream.h"

/// Tools that are functions of your program, and what stands around their calls. Payloads, settings
/// and outputs are the texts of JSON objects: parse them with what you have.
namespace weir {

class Interceptor;

namespace engine {
class Interceptor;
}  // namespace engine

namespace embed {
class CallState;
[[nodiscard]] std::shared_ptr<engine::Interceptor> adapt(
    std::shared_ptr<weir::Interceptor> interceptor);
}  // namespace embed

/// One call of a tool, good until the tool returns. Its views are, too.
///
/// Threads  That of the call; `is_cancelled` from any.
class ToolCall {
 public:
  explicit ToolCall(embed::CallState& state) noexcept : state_(&state) {}
  ToolCall(const ToolCall&) = delete;
  ToolCall& operator=(const ToolCall&) = delete;

  [[nodiscard]] std::string_view run_id() const noexcept;
  [[nodiscard]] std::string_view node_id() const noexcept;  ///< of an item "ID[0]"
  /// The node's input.
  [[nodiscard]] std::string_view payload() const noexcept;
  /// The node's `with`, its references replaced.
  [[nodiscard]] std::string_view settings() const noexcept;
  /// The same on every try of the same work.
  [[nodiscard]] std::string_view idempotency_key() const noexcept;
  /// The result is not wanted any more: return soon, with any.
  [[nodiscard]] bool is_cancelled() const noexcept;

  /// A line in the run's log, of the logger of the tool's plugin.
  void log(Level level, std::string_view message) noexcept;
  /// Records an event of your own, `agent_run` or `notification`: members of the JSON object with
  /// names of the event reference are columns, the others attributes. Errors: kInvalidInput;
  /// kExhausted.
  Status emit(std::string_view type, std::string_view members = "{}") noexcept;

  /// The streams that the node shares with nodes which run at the same time, in the order of the
  /// pipeline's edges.
  [[nodiscard]] std::vector<StreamReader> streams_in() const;
  [[nodiscard]] std::vector<StreamWriter> streams_out() const;
  /// The stream from, or to, that node; without a name the only one. Nothing: there is none.
  [[nodiscard]] std::optional<StreamReader> stream_in(std::string_view from = {}) const noexcept;
  [[nodiscard]] std::optional<StreamWriter> stream_out(std::string_view to = {}) const noexcept;

 private:
  friend class JitterBuffer;
  friend class ProviderCall;
  friend class CircuitCall;
  embed::CallState* state_;
};

struct ToolOutput {
  std::string payload = "{}";  ///< what is no JSON object fails the node
  std::optional<std::int64_t> rows{};
  /// Which tables it read and made: a JSON object of `rows_in`, `schema_in` and `schema_out` as in
  /// docs/plugins.md. What is none is passed over, with a warning in the run's log.
  std::string lineage{};
};

struct ToolFailure {
  std::string type;     ///< for programs: "NoSuchShop"
  std::string message;  ///< for people
  /// Whether another try may help; nothing: the pipeline's rules say.
  std::optional<bool> is_retryable{};
};

using ToolResult = std::variant<ToolOutput, ToolFailure>;

/// A failure in short, for logs, metrics and dashboards.
struct ErrorSummary {
  /// TIMEOUT, OOM, CPU_LIMIT, OUTPUT_LIMIT, POLICY_DENIED, CIRCUIT_OPEN, IDEMPOTENCY_MISMATCH,
  /// CANCELLED or UNKNOWN. Never freed.
  std::string_view code = "UNKNOWN";
  std::string type;
  std::string message;        ///< of at most 500 bytes
  bool is_retryable = false;  ///< another try may succeed
};
[[nodiscard]] ErrorSummary summarize(const ToolFailure& failure);
/// In one line: "TIMEOUT: it had not ended after 30 s".
[[nodiscard]] std::string to_string(const ErrorSummary& summary);

/// Called from several threads at once. What it throws is a failure, with the exception's type.
using ToolFunction = std::function<ToolResult(ToolCall&)>;

struct ToolName {
  std::string plugin_id;
  std::string tool_id;
  std::string version = "1";  ///< another one makes the cache forget what the tool made
  // What checks of pipelines hold its edges to; empty: anything.
  std::vector<std::string> input_types{};
  std::vector<std::string> output_types{};
  /// Its effects are wanted once: its nodes are as those with `effects_once`. That one starts is on
  /// disk before it does; it is not tried again, and fails with `EffectsUnknown` in a run that was
  /// lost meanwhile.
  bool effects_once = false;
};

/// Which call interceptors stand around.
struct CallPlace {
  std::string_view pipeline_id;
  std::string_view plugin_id;
  std::string_view tool_id;
  int attempt = 1;  ///< 1, 2, …
};

/// Something around every call of a tool: docs/interceptors.md. Weir's own are in
/// weir/interceptors.h.
///
/// Threads   Called from all threads that run nodes, for several calls at once.
/// Failures  What it throws is a WARNING in the log, and the call goes on without it. Of a critical
///           one it fails the node, as `InterceptorFailed`.
class Interceptor {
 public:
  Interceptor() = default;
  Interceptor(const Interceptor&) = delete;
  Interceptor& operator=(const Interceptor&) = delete;
  virtual ~Interceptor() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// The lowest is outermost; Weir's own are 4 (idempotency) to 50 (logging).
  [[nodiscard]] virtual int priority() const { return 100; }
  [[nodiscard]] virtual bool is_critical() const { return false; }

  /// A result stands in for the tool, which is not called then, and `after` neither.
  virtual std::optional<ToolResult> before(const CallPlace& place, ToolCall& call);
  /// The result may be changed.
  virtual void after(const CallPlace& place, ToolCall& call, ToolResult& result);

 private:
  friend std::shared_ptr<engine::Interceptor> embed::adapt(
      std::shared_ptr<weir::Interceptor> interceptor);
  /// Of one of Weir's own, what stands there in its place.
  [[nodiscard]] virtual engine::Interceptor* own() noexcept { return nullptr; }
};

}  // namespace weir
