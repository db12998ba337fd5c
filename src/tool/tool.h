#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"
#include "event/catalogue.h"
#include "tool/failure_types.h"
#include "tool/health.h"
#include "tool/spec.h"
#include "tool/stream.h"

/// What runs a node.
namespace weir::tool {

/// The JSON of a payload, in or out, may not be larger.
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{16} << 20;

/// What an execution used, as far as it is known.
struct Usage {
  std::optional<double> cpu_ms;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> rows;
  /// By system calls, from and to files, pipes and all else, whether or not a disk was touched.
  std::optional<std::int64_t> read_bytes{};
  std::optional<std::int64_t> written_bytes{};
};

struct Output {
  json::Object payload;
  Usage usage;
  std::optional<std::int64_t> exit_code{};  ///< if it was a program's
  /// Of the tables that it read and made: `rows_in`, `schema_in` and `schema_out`, attributes of
  /// the event. Only take_lineage (lineage.h) fills it.
  json::Object lineage{};
};

/// Why a node failed.
struct Failure {
  std::string type;     ///< for programs: "ProcessExited", "std::runtime_error", "OOM"
  std::string message;  ///< for people
  std::optional<std::int64_t> exit_code;
  Usage usage;
  /// What kind of thing it is, where more than one type belongs to it: kSandbox.
  std::string category{};
  /// Whether the tool itself says that another try may succeed, or that none will.
  std::optional<bool> retryable{};
};

/// A line that a tool has to say while it works.
struct LogLine {
  event::Level level = event::Level::kInfo;
  std::string_view message;  ///< any bytes
  std::string_view logger;   ///< "stderr", …
  bool continues = false;    ///< the line was too long: the next one goes on with it
};

/// Bytes that a tool kept in the artifact store.
struct KeptArtifact {
  std::string name;
  Sha256 hash;
  std::uint64_t size_bytes = 0;
  std::optional<std::int64_t> rows;
};

struct ProviderCallReport;  // provider_call.h
struct OwnEvent;            // own_event.h
struct CircuitChange;       // circuit_change.h

/// Variables of a process: names and values.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// One execution of a node, as its tool sees it. Lives until `run` returns.
struct Call {
  std::string_view run_id;
  std::string_view node_id;
  const json::Object& payload;
  const json::Object& with;
  /// Of the pipeline file: what relative paths are relative to.
  const std::filesystem::path& folder;
  /// Requested when the result is not wanted any more: return soon, with any result.
  std::stop_token stop;
  /// May be called from the thread that called `run` only, as those below.
  std::function<void(const LogLine&)> log;
  std::function<void(const KeptArtifact&)> kept;
  /// What a program that the tool starts is told: WEIR_RUN_ID, WEIR_NODE_ID, WEIR_STORE, and by
  /// TRACEPARENT and what goes with it (record::to_environment) where in which trace it runs.
  std::function<Environment()> environment;
  /// The same on every try of the same work, so that what it did can be found again. Empty: none.
  std::string_view idempotency_key{};
  /// Of a call to a provider that the tool makes: see ProviderCall.
  std::function<void(const ProviderCallReport&)> provider_call{};
  /// Of a circuit that the tool asks itself.
  std::function<void(const CircuitChange&)> circuit{};
  /// What it shares with nodes that run at the same time, in the order of the pipeline's edges.
  std::span<const StreamReader> streams_in{};
  std::span<const StreamWriter> streams_out{};
  /// Records what happens on a stream of the tool's own, as of a JitterBuffer. From any thread.
  StreamEventSink stream_event{};
  /// Records an event of the tool's own. Errors: those of `check`; kExhausted after kMaxOwnEvents.
  std::function<Result<void>(const OwnEvent&)> emit{};

  /// The stream from, or to, that node; without a name the only one. Null: there is none.
  [[nodiscard]] const StreamReader* stream_in(std::string_view from = {}) const;
  [[nodiscard]] const StreamWriter* stream_out(std::string_view to = {}) const;
};

class Tool {
 public:
  virtual ~Tool() = default;
  [[nodiscard]] virtual const ToolSpec& spec() const = 0;
  /// Called from many threads at once. `with` holds what the spec asks for.
  [[nodiscard]] virtual std::expected<Output, Failure> run(const Call& call) = 0;

  /// Of its plugin; null before it is in a registry.
  [[nodiscard]] const std::shared_ptr<Health>& health() const { return health_; }

 private:
  friend class Registry;
  std::shared_ptr<Health> health_;
};

/// Runs the tool, and counts it for its plugin's health. What it throws becomes a failure with the
/// exception's type.
[[nodiscard]] std::expected<Output, Failure> run_caught(Tool& tool, const Call& call);

/// A tool made of a function, for embedding and tests.
class FunctionTool final : public Tool {
 public:
  using Function = std::function<json::Object(const Call&)>;
  FunctionTool(std::string plugin_id, std::string tool_id, Function function)
      : spec_{.plugin_id = std::move(plugin_id),
              .tool_id = std::move(tool_id),
              .settings = {},
              .streams = Streams::kAny},
        function_(std::move(function)) {}
  [[nodiscard]] const ToolSpec& spec() const override { return spec_; }
  [[nodiscard]] std::expected<Output, Failure> run(const Call& call) override {
    return Output{.payload = function_(call), .usage = {}};
  }

 private:
  ToolSpec spec_;
  Function function_;
};

/// The tools that pipelines can name.
class Registry {
 public:
  /// Replaces one of the same name.
  void add(std::unique_ptr<Tool> tool);
  /// Null when there is none.
  [[nodiscard]] Tool* find(std::string_view plugin_id, std::string_view tool_id) const;
  /// How a plugin is doing, null when there is none. Lives as long as the registry.
  [[nodiscard]] Health* health(std::string_view plugin_id) const;
  [[nodiscard]] std::vector<std::string> plugin_ids() const;
  [[nodiscard]] std::vector<std::string> tool_ids(std::string_view plugin_id) const;

 private:
  std::vector<std::unique_ptr<Tool>> tools_;
};

}  // namespace weir::tool
